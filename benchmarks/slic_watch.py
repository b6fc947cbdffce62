"""Claim: for a template of 400 functions lookout's whole run takes a fifth of slic-watch 3.2.0's time, or less.

Whole is: the template read, its alarms planned, its dashboards made. Both start from the same CloudFormation template
(_fleets.py), slic-watch from it as parsed, and do the work once after imports, as in use; of fifteen processes each the
fastest counts. slic-watch adds alarms and a dashboard to the template; lookout plans its own from the fleet in it. How
the parts compare is told beside. Needs npm, which fetches slic-watch. Fails below 5 times.
"""

import argparse
import gc
import json
import shutil
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from time import process_time

from _fleets import cloudformation
from _runs import fastest

FUNCTIONS, TIMES, RUNS = 400, 5, 15
PEER = "serverless-slic-watch-plugin@3.2.0"
PLUGIN = """
const {readFileSync} = require("fs")
const Plugin = require("serverless-slic-watch-plugin")
const [path, dashboard] = process.argv.slice(2)
const template = JSON.parse(readFileSync(path, "utf8"))
const quiet = new Proxy({}, {get: () => () => {}})
const slicWatch = {topicArn: "arn:aws:sns:eu-west-1:123456789012:alarms", dashboard: {enabled: dashboard === "true"}}

function alarm(template) {
  const provider = {name: "aws", compiledCloudFormationTemplate: template}
  const serverless = {
    service: {provider, custom: {slicWatch}, resources: {}, getAllFunctions: () => []},
    getProvider: () => ({naming: {}}),
    cli: quiet
  }
  const plugin = new (Plugin.default ?? Plugin)(serverless, {}, {log: quiet})
  plugin.hooks["after:aws:package:finalize:mergeCustomProviderResources"]()
}

const began = process.cpuUsage()
alarm(template)
const {user, system} = process.cpuUsage(began)
const alarms = Object.values(template.Resources).filter(one => one.Type === "AWS::CloudWatch::Alarm").length
console.log(JSON.stringify({cpu_s: (user + system) / 1e6, alarms}))
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.measure:
        _measure(asked.measure)
        return
    if not (shutil.which("npm") and shutil.which("node")):
        sys.exit("needs node and npm, to run slic-watch beside it")
    with tempfile.TemporaryDirectory() as folder:
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", folder, PEER]
        subprocess.run(npm, check=True)
        script, template = Path(folder, "peer.js"), Path(folder, "template.json")
        script.write_text(PLUGIN)
        template.write_text(json.dumps(cloudformation(FUNCTIONS)))
        theirs = fastest(["node", str(script), str(template), "true"], runs=RUNS)
        without = fastest(["node", str(script), str(template), "false"], runs=RUNS)
        ours = fastest([sys.executable, __file__, "--measure", str(template)], runs=RUNS)
    ratio = theirs["cpu_s"] / ours["cpu_s"]
    print(
        f"{FUNCTIONS} functions: {ours['cpu_s']:.3f} s of CPU; slic-watch {theirs['cpu_s']:.3f} s: {ratio:.1f} times "
        f"as fast, of {TIMES}; by the alarm ({ours['alarms']:,.0f} and {theirs['alarms']:,.0f}) "
        f"{ratio * ours['alarms'] / theirs['alarms']:.1f} times"
    )
    print(
        f"reading {ours['read_s']:.3f} s, alarms {ours['plan_s']:.3f} s, dashboards {ours['dashboards_s']:.3f} s; "
        f"slic-watch without its dashboard {without['cpu_s']:.3f} s: alarms alone "
        f"{without['cpu_s'] / ours['plan_s']:.1f} times as fast"
    )
    if ratio < TIMES:
        sys.exit("the claim does not hold")


def _measure(path: Path) -> None:
    from dashboards.body import bodies
    from infra.templates.reading import from_templates
    from lookout.cli import YOUNG
    from monitors.plan import plan
    from monitors.settings import Settings

    gc.set_threshold(YOUNG)  # as the command does
    times = [process_time()]
    fleet = from_templates([str(path)], {})
    times.append(process_time())
    made = plan(fleet, Settings())
    times.append(process_time())
    bodies(made)
    times.append(process_time())
    parts_s = dict(zip(("read_s", "plan_s", "dashboards_s"), (b - a for a, b in pairwise(times)), strict=True))
    print(json.dumps({"cpu_s": times[-1] - times[0], **parts_s, "alarms": len(made.alarms)}))


if __name__ == "__main__":
    main()

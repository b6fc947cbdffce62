"""Claim: alarms for 400 functions are planned at 5 times the speed of slic-watch 3.2.0 or more.

Both get the same parsed CloudFormation template (_fleets.py), and do the work once after imports, as in use; of five
processes each the fastest counts. slic-watch adds its alarms to the template; lookout plans its own from the fleet in
it. Dashboards, and reading that fleet, which slic-watch does not do, are told beside. Needs npm, which fetches
slic-watch. Fails below 5 times.
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

FUNCTIONS, TIMES = 400, 5
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
        theirs = fastest(["node", str(script), str(template), "false"])
        with_boards = fastest(["node", str(script), str(template), "true"])
        ours = fastest([sys.executable, __file__, "--measure", str(template)])
    ratio = theirs["cpu_s"] / ours["cpu_s"]
    print(
        f"{FUNCTIONS} functions: {ours['alarms']:,.0f} alarms in {ours['cpu_s']:.3f} s of CPU; slic-watch "
        f"{theirs['alarms']:,.0f} in {theirs['cpu_s']:.3f} s: {ratio:.1f} times as fast, of {TIMES}; by the alarm "
        f"{ratio * ours['alarms'] / theirs['alarms']:.1f} times"
    )
    made_s = ours["cpu_s"] + ours["dashboards_s"]
    whole_s = ours["read_s"] + made_s
    print(
        f"with dashboards ({ours['dashboards_s']:.3f} s): {made_s:.3f} s; slic-watch with its dashboard "
        f"{with_boards['cpu_s']:.3f} s: {with_boards['cpu_s'] / made_s:.1f} times as fast; "
        f"with reading the template too ({ours['read_s']:.3f} s) {with_boards['cpu_s'] / whole_s:.1f} times"
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
    read_s, plan_s, dashboards_s = (end - start for start, end in pairwise(times))
    print(json.dumps({"read_s": read_s, "cpu_s": plan_s, "dashboards_s": dashboards_s, "alarms": len(made.alarms)}))


if __name__ == "__main__":
    main()

"""Claim: a template of 400 functions is read in under 0.5 s of CPU beyond imports, AWS's SAM translator included.

Each function brings a role, a log group, a queue with its dead-letter queue and a mapping; in SAM they say the same.
Reads each in a process of its own, once to warm up, and prints the CPU of a second time, the least of three processes,
as a share of the bound. Fails if one breaks it.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from _fleets import cloudformation, queues
from _runs import fastest

BOUND_S = 0.5


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--functions", type=int, default=400)
    arguments.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.measure:
        _measure(asked.measure)
        return
    broken = []
    with tempfile.TemporaryDirectory() as folder:
        for words, suffix, make in (
            ("CloudFormation, JSON", "json", cloudformation),
            ("CloudFormation, YAML", "yaml", cloudformation),
            ("SAM, YAML", "yaml", _sam),
        ):
            path = Path(folder, f"template.{suffix}")
            path.write_text(_text(make(asked.functions), suffix))
            found = fastest([sys.executable, __file__, "--measure", str(path)], runs=3)
            print(
                f"{words:21} {found['functions']:.0f} functions of {found['resources']:,.0f} resources: "
                f"{found['cpu_s']:.2f} s, {found['cpu_s'] / BOUND_S:.2f} of {BOUND_S} s; "
                f"{found['translator_s']:.2f} s of them AWS's translator"
            )
            if found["cpu_s"] > BOUND_S or found["functions"] != asked.functions:
                broken.append(words)
    if broken:
        sys.exit(f"the claim does not hold: {', '.join(broken)}")


def _measure(path: Path) -> None:
    from samtranslator.translator.translator import Translator

    from infra.templates.reading import from_templates

    translator_s = 0.0
    translate: Callable[..., Any] = Translator.translate

    def timed(*given: Any, **named: Any) -> Any:
        nonlocal translator_s
        began = process_time()
        try:
            return translate(*given, **named)
        finally:
            translator_s += process_time() - began

    Translator.translate = timed
    from_templates([str(path)], {})
    translator_s, began = 0.0, process_time()
    found = from_templates([str(path)], {})
    measured = {
        "cpu_s": process_time() - began,
        "translator_s": translator_s,
        "functions": sum(one.service == "lambda" for one in found.resources),
        "resources": len(found.resources),
    }
    print(json.dumps(measured))


def _text(template: dict[str, Any], suffix: str) -> str:
    import yaml

    return json.dumps(template, indent=1) if suffix == "json" else yaml.safe_dump(template, sort_keys=False)


def _sam(functions: int) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for n in range(functions):
        source = {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": [f"Queue{n}", "Arn"]}}}
        resources |= {
            f"Logs{n}": {
                "Type": "AWS::Logs::LogGroup",
                "Properties": {"LogGroupName": f"/aws/lambda/shop-{n}", "RetentionInDays": 30},
            },
            f"Fn{n}": {
                "Type": "AWS::Serverless::Function",
                "Properties": {
                    "FunctionName": f"shop-{n}",
                    "CodeUri": "src/",
                    "Handler": "app.handler",
                    "Environment": {"Variables": {"QUEUE": {"Ref": f"Queue{n}"}}},
                    "Events": {"Queue": source},
                },
            },
            **queues(n),
        }
    function = {"Runtime": "python3.13", "MemorySize": 256, "Timeout": 10}
    return {"Transform": "AWS::Serverless-2016-10-31", "Globals": {"Function": function}, "Resources": resources}


if __name__ == "__main__":
    main()

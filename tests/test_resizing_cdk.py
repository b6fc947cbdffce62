"""Memory sizes into CDK's code: only digits or one new property differ, and what the code does not say is refused."""

import ast
import re
from hashlib import md5
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from infra.templates.resizing import resized
from monitors.errors import InputError
from tests.test_resizing import applied

HELLO = "CdkWorkshopStack-HelloHandler2E4FBA4D-149MVAO4969O7"
"""As AWS's own CDK workshop shows it, of the TypeScript and of the Python below."""
COUNTER = "CdkWorkshopStack-HelloHitCounterHitCounterHandlerD-144HVUNEWRWEO"
"""From there too: 64 characters, of which the logical id lost seven digits of its hash."""

TYPESCRIPT = """\
#!/usr/bin/env node
import * as cdk from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Function as EdgeFunction } from "aws-cdk-lib/aws-cloudfront";

/* Größe 🛒: new lambda.Function(this, 'HelloHandler', { memorySize: 1 }) */
export class CdkWorkshopStack extends cdk.Stack {
  constructor(scope: cdk.App, id: string, props?: cdk.StackProps) {
    super(scope, id, props);
    const hello = new lambda.Function(this, 'HelloHandler', {
      runtime: lambda.Runtime.NODEJS_18_X, // it's
      environment: { memorySize: '1', SIGN: `${stage ? `{"` : "}"}`, PATTERN: /["'`]/.source },
      memorySize: 1024, // as measured
    });
    new NodejsFunction(this, "Orders", {
      // the first
      entry: 'orders.ts',
    });
    new NodejsFunction(this, 'Short', { entry: 'short.ts' });
    new EdgeFunction(this, 'Edge', { code: edge });
    const ratio = width / 2, half = 'new lambda.Function(this, "Orders", {})'.length / 2;
  }
}
export class HitCounter extends Construct {
  constructor(scope: Construct, id: string) {
    this.handler = new lambda.Function(this, 'HitCounterHandler', { memorySize: 2_048, });
  }
}
"""

PYTHON = """\
from aws_cdk import Stack, aws_lambda as _lambda, aws_cloudfront as cloudfront
from aws_cdk.aws_lambda_python_alpha import PythonFunction
from constructs import Construct


class CdkWorkshopStack(Stack):
    def __init__(self, scope: Construct, id: str, **kwargs) -> None:
        super().__init__(scope, id, **kwargs)
        größe = "🛒"; hello = _lambda.Function(self, "HelloHandler", memory_size=1024)  # memory_size=1
        PythonFunction(
            self, "Orders",
            # the first
            entry="orders",
        )
        cloudfront.Function(self, "Edge", code=edge)


class HitCounter(Construct):
    def __init__(self, scope):
        self.handler = _lambda.Function(self, "HitCounterHandler", runtime=runtime, **defaults)
"""


def deployed(*ids: str, stack: str = "shop", below: str = "/Resource") -> str:
    """CDK's rule, as its developer guide has it: the ids without punctuation, 8 digits of the MD5 of their path."""
    digits = md5(("/".join(ids) + below).encode()).hexdigest()[:8].upper()
    return f"{stack}-{re.sub('[^A-Za-z0-9]', '', ''.join(ids))}{digits}-AbCdEfGhIjKl"


def one(source: str, function: str, file: str = "app.ts") -> str:
    """What becomes of a size for one function: the line that is added, or why not."""
    patch = resized(source, file, {function: 256})
    added = [line[1:].strip() for line in patch.diff.splitlines() if line.startswith("+") and line[:3] != "+++"]
    return " ".join(added) or patch.refused.get(function, "nothing")


def made(properties: str, *, id_: str = "'Orders'", scope: str = "this", base: str = "Stack") -> str:
    return (
        "import * as lambda from 'aws-cdk-lib/aws-lambda';\n"
        f"class Shop extends {base} {{ make() {{ new lambda.Function({scope}, {id_}, {properties}) }} }}\n"
    )


# --- where it goes -------------------------------------------------------------------------------


def test_typescript(tmp_path: Path) -> None:
    sizes = {HELLO: 512, deployed("Orders"): 256, deployed("Short"): 128, deployed("Api", "HitCounterHandler"): 1769}
    after, patch = applied(tmp_path, TYPESCRIPT, "app.ts", sizes)
    assert after == TYPESCRIPT.replace("memorySize: 1024,", "memorySize: 512,").replace("2_048", "1769").replace(
        "entry: 'orders.ts'", "memorySize: 256,\n      entry: 'orders.ts'"
    ).replace("{ entry: 'short.ts'", "{ memorySize: 128, entry: 'short.ts'")
    assert patch.refused == {}
    assert patch.replaced[HELLO] == "1024"
    assert patch.replaced[deployed("Orders")] == ""


def test_python(tmp_path: Path) -> None:
    counter = deployed("Api", "HitCounterHandler")
    after, patch = applied(tmp_path, PYTHON, "app.py", {HELLO: 512, deployed("Orders"): 256, counter: 128})
    assert after == PYTHON.replace("memory_size=1024", "memory_size=512").replace(
        "entry=", "memory_size=256,\n            entry="
    )
    assert patch.refused == {counter: "memory_size of HitCounterHandler (line 20) may come from **defaults"}


@pytest.mark.parametrize("ending", ["ts", "py"])
def test_line_ends_and_a_byte_order_mark_stay(ending: str, tmp_path: Path) -> None:
    text = "\ufeff" + (TYPESCRIPT if ending == "ts" else PYTHON).replace("\n", "\r\n").rstrip()
    after, _ = applied(tmp_path, text, f"app.{ending}", {HELLO: 512, deployed("Orders"): 256})
    assert "\n" not in after.replace("\r\n", "")
    assert re.sub(r"memory_?[sS]ize(=|: )256,\r\n +", "", after).replace("512", "1024") == text


@pytest.mark.parametrize(
    ("imports", "callee"),
    [
        ("import * as l from 'aws-cdk-lib/aws-lambda'", "l.Function"),
        ("import { aws_lambda as l } from 'aws-cdk-lib'", "l.Function"),
        ("import { aws_lambda } from 'aws-cdk-lib'", "aws_lambda.DockerImageFunction"),
        ("import * as cdk from 'aws-cdk-lib'", "cdk.aws_lambda.Function"),
        ("import { Code, Function as F } from '@aws-cdk/aws-lambda'", "F"),
        ("import l = require('@aws-cdk/aws-lambda')", "l.Function"),
        ("const l = require('aws-cdk-lib/aws-lambda')", "l.Function"),
        ("const { Code, Function: F } = require('aws-cdk-lib/aws-lambda')", "F"),
        (
            "import 'source-map-support/register'\nimport { GoFunction } from '@aws-cdk/aws-lambda-go-alpha'",
            "GoFunction",
        ),
        ("import { RustFunction } from 'cargo-lambda-cdk'", "RustFunction"),
    ],
)
def test_however_it_is_imported(imports: str, callee: str) -> None:
    source = f"{imports}\nclass S extends Stack {{ x = new {callee}(this, 'Orders', {{ memorySize: 512 }}) }}"
    assert "memorySize: 256" in one(source, deployed("Orders"))


@pytest.mark.parametrize(
    ("imports", "callee"),
    [
        ("import aws_cdk as cdk", "cdk.aws_lambda.Function"),
        ("import aws_cdk.aws_lambda as l", "l.DockerImageFunction"),
        ("from aws_cdk.aws_lambda import Function as F", "F"),
        ("import aws_cdk.aws_lambda", "aws_cdk.aws_lambda.Function"),
    ],
)
def test_however_python_imports_it(imports: str, callee: str) -> None:
    source = f"{imports}\nclass S(cdk.Stack):\n  def f(self):\n    {callee}(scope=self, id='Orders', memory_size=512)\n"
    assert "memory_size=256" in one(source, deployed("Orders"), "app.py")


@pytest.mark.parametrize(
    "source",
    [
        "import * as l from 'aws-cdk-lib/aws-cloudfront'; new l.Function(this, 'Orders', { functionName: 'orders' })",
        "new Function('Orders', 'a', { functionName: 'orders' })",
        "import { Function } from './shared'; new Function(this, 'Orders', { functionName: 'orders' })",
        "import * as lambda from 'aws-cdk-lib/aws-lambda'; new lambda.Alias(this, 'A', { functionName: 'orders' })",
        "import * as lambda from 'aws-cdk-lib/aws-lambda'; lambda.Function.fromFunctionName(this, 'A', 'orders')",
    ],
)
def test_what_is_no_lambda_function_is_none(source: str) -> None:
    assert resized(source, "app.ts", {"orders": 256}).declared == {}


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ("{ memorySize: size }", "memorySize of Orders (line 2) comes from size"),
        ("{ memorySize: 2 * 512 }", "memorySize of Orders (line 2) comes from 2 * 512"),
        ("{ memorySize: prod ? 512 : 128 }", "memorySize of Orders (line 2) comes from prod ? 512 : 128"),
        ("{ memorySize: 0x200 }", "memorySize of Orders (line 2) comes from 0x200"),
        ("{ memorySize }", "memorySize of Orders (line 2) comes from memorySize"),
        ("{ memorySize: 512, ...given }", "memorySize of Orders (line 2) may come from ...given"),
        ("{ ...given, handler: 'x' }", "memorySize of Orders (line 2) may come from ...given"),
        ("{ [key]: 512 }", "memorySize of Orders (line 2) may come from [key]: 512"),
        ("{ memorySize: 512, 'memorySize': 512 }", "Orders (line 2) says memorySize twice"),
        ("props", "memorySize of Orders (line 2) may come from props"),
        (
            "merge({}, { memorySize: 512 })",
            "memorySize of Orders (line 2) may come from merge({}, { memorySize: 512 })",
        ),
        ("{}", "Orders (line 2) has nothing that memorySize could stand beside"),
    ],
)
def test_a_size_that_is_not_written_there_is_left(properties: str, told: str) -> None:
    assert one(made(properties), deployed("Orders")) == told


@pytest.mark.parametrize(
    "properties",
    [
        "{ ...given, memorySize: 512 }",
        "{ 'memorySize': 512, handler: `a${b}` }",
        "{ memorySize: /* was 1024 */ 512 } as lambda.FunctionProps",
        "{ memorySize: 512, environment: { ...given } }",
    ],
)
def test_a_size_that_has_the_last_word_is_replaced(properties: str) -> None:
    assert one(made(properties), deployed("Orders")) == made(properties.replace("512", "256")).splitlines()[1]


def test_python_says_a_name_once() -> None:
    """`f(**given, memory_size=512)` is an error if `given` has one too: the number counts."""
    source = "import aws_cdk.aws_lambda as l\nl.Function(stack, 'Orders', **given, memory_size=512)\n"
    assert one(source, deployed("Orders"), "app.py") == "l.Function(stack, 'Orders', **given, memory_size=256)"
    assert one(source.replace("512", "size or 1"), deployed("Orders"), "app.py").endswith("comes from size or 1")


# --- which function it is ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function", "found"),
    [
        ("'orders'", "orders", True),
        ("'orders'", "reorders", False),
        ("`${this.stage}-orders-${f({a: `}`})}`", "prod-orders-eu", True),
        ("`${this.stage}-orders`", "prod-orders-eu", False),
        ("stage + '-orders'", "prod-orders", True),
        ("props.name", "orders", False),
        ("props.name", deployed("Orders"), False),
    ],
)
def test_a_name_of_its_own(name: str, function: str, found: bool) -> None:
    told = one(made(f"{{ functionName: {name}, memorySize: 512 }}"), function)
    assert ("memorySize: 256" in told, told == "nothing") == (found, not found)


@pytest.mark.parametrize("name", ['f"{stage}-orders"', 'stage + "-orders"', '"%s" % stage + "-orders"'])
def test_a_name_in_python(name: str) -> None:
    source = f"import aws_cdk.aws_lambda as l\nl.Function(self, f'{{x}}', function_name={name}, memory_size=512)\n"
    assert "memory_size=256" in one(source, "prod-orders", "app.py")
    assert one(source, "prod-pay", "app.py") == "nothing"


def test_the_hash_tells_what_an_id_stands_below() -> None:
    """In a stack a function has no parents; in a construct it has some; elsewhere either."""
    direct, nested, either = (
        made("{ memorySize: 512 }", base=base, scope=scope)
        for base, scope in (("cdk.Stack", "this"), ("Construct", "this"), ("Construct", "scope"))
    )
    alone, inside, deep = deployed("Orders"), deployed("ShopApi", "Orders"), deployed("Shop", "Api", "Orders")
    taken = {
        name: ["memorySize: 256" in one(source, function) for function in (alone, inside, deep)]
        for name, source in (("direct", direct), ("nested", nested), ("either", either))
    }
    assert taken == {"direct": [True, False, False], "nested": [False, True, True], "either": [True, True, True]}


def test_a_name_that_only_ends_like_it_is_anothers() -> None:
    """`ReOrders` of the stack, and `Orders` in a construct whose id lost its punctuation, look alike."""
    source = made("{ memorySize: 512 }", base="Construct")
    for function in (deployed("ReOrders"), deployed("shop-api", "Orders")):
        assert one(source, function) == (
            "it may be Orders (line 2), but its name does not show what constructs that is in"
        )


def test_a_name_that_was_cut_off_is_refused() -> None:
    whole = deployed("HelloHitCounter", "HitCounterHandler", stack="CdkWorkshopStack")
    assert whole.startswith(COUNTER.rpartition("-")[0])
    told = one(TYPESCRIPT, COUNTER)
    assert told == "it may be HitCounterHandler (line 27), but its name is cut off before what would tell"
    cut = f"{'s' * 30}-OrdersHandlerOfTheSh-AbCdEfGhIjKl"
    assert one(made("{ memorySize: 512 }", id_="'OrdersHandlerOfTheShop'"), cut) == "nothing"


def test_a_cut_name_with_enough_of_its_hash_is_known() -> None:
    """20 of the stack, 23 of the id, 6 of the hash, 12 at random and two hyphens: 63."""
    whole = deployed("OrdersHandlerOfTheShop1", stack="s" * 20)
    cut = whole.replace(whole[44:52], whole[44:50])
    assert len(cut) == 63
    assert "memorySize: 256" in one(made("{ memorySize: 512 }", id_="'OrdersHandlerOfTheShop1'"), cut)


def test_punctuation_in_an_id_is_left_out_of_the_name() -> None:
    assert "memorySize: 256" in one(made("{ memorySize: 512 }", id_="'orders-handler'"), deployed("orders-handler"))


@pytest.mark.parametrize("id_", ["id", "`${name}Handler`", "'Default'", "'Resource'"])
def test_an_id_that_says_nothing_claims_no_function(id_: str) -> None:
    source = made("{ memorySize: 512 }", id_=id_, scope="scope")
    assert one(source, deployed("ApiHandler")) == "nothing"
    assert one(source, deployed("Resource")) == "nothing"


def test_what_cloudformation_knows_itself_has_no_hash_in_the_stack() -> None:
    source = "new lambda.CfnFunction(stack, 'Orders', { memorySize: 512 })"
    assert "memorySize: 256" in one(source, "shop-Orders-AbCdEfGhIjKl")
    assert "memorySize: 256" in one(source, deployed("Api", "Orders", below=""))
    assert one(source, deployed("Api", "Orders")).endswith("does not show what constructs that is in")


def test_two_constructs_with_one_id_are_not_told_apart() -> None:
    source = made("{ memorySize: 512 }", base="Construct") * 2
    assert one(source, deployed("Api", "Orders")) == "it may be Orders (line 2) or Orders (line 4)"


def test_one_construct_made_twice_has_one_size() -> None:
    source = made("{ memorySize: 512 }", base="Construct")
    first, second = deployed("Api", "Orders"), deployed("Jobs", "Orders")
    assert "memorySize: 128" in resized(source, "a.ts", {first: 128, second: 128}).text
    assert resized(source, "a.ts", {first: 128, second: 256}).refused.keys() == {first, second}


# --- text that is no code ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("a.ts", "let a;\nlet b = 'x", r"^a\.ts:2: ' is not closed$"),
        ("a.ts", "let a = `${x`", r"^a\.ts:1: ` is not closed$"),
        ("a.ts", "/* x", r"^a\.ts:1: / is not closed$"),
        ("a.js", "f(\n[1)", r"^a\.js:2: \[ is not closed$"),
        ("a.js", "f)", r"^a\.js:1: \) is not closed$"),
        ("a.ts", "`${" * 5000, r"^a\.ts"),
        ("a.py", "x = 1\ndef f(:", r"^a\.py:2: not Python"),
        ("a.py", "a\0b", r"^a\.py:\d: not Python"),
        ("a.py", "(" * 5000, r"^a\.py"),
        ("a.py", "-" * 100_000 + "1", r"^a\.py"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(file: str, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        resized(text, file, {"f": 128})


FRAGMENTS = (
    *(
        "new ",
        "lambda.",
        "Function",
        "(this, 'Orders', ",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "memorySize",
        ": 512",
        ",",
        "...",
    ),
    *("`", "${", "'", '"', "/", "//", "/*", "*/", "\n", "\\", "class X extends ", "import ", " from ", "as ", "=", ";"),
)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.characters(), max_size=40).map("".join), st.sampled_from(["ts", "py"]))
def test_any_text_is_read_or_refused(text: str, ending: str) -> None:
    try:
        patch = resized(text, f"a.{ending}", {deployed("Orders"): 256})
    except InputError:
        return
    assert patch.text == text or "256" in patch.text


COMMENT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(128, 10_240),
    was=st.none() | st.integers(128, 10_240),
    note=COMMENT,
    newline=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
    python=st.booleans(),
    wide=st.booleans(),
)
def test_nothing_differs_but_digits_or_one_new_entry(
    size: int, was: int | None, note: str, newline: str, last: bool, python: bool, wide: bool, tmp_path: Path
) -> None:
    assume(size != was)
    key, equals, mark = ("memory_size", "=", "#") if python else ("memorySize", ": ", "//")
    begin, end = ("", ")") if python else ("{ ", " })")
    head = "import aws_cdk.aws_lambda as lambda_" if python else "import * as lambda_ from 'aws-cdk-lib/aws-lambda'"
    call = "lambda_.Function(" if python else "new lambda_.Function("
    gap = "\n    " if wide else " "
    entries = [f"handler{equals}'größe'", *([f"{key}{equals}{was}"] if was else [])]
    lines = f"{head} {mark} {note}\n{call}stack, 'Orders', {begin}{gap}{f',{gap}'.join(entries)}{end} {mark} {note}"
    text = (lines + "\n" * last).replace("\n", newline)
    after, patch = applied(tmp_path, text, "app.py" if python else "app.ts", {deployed("Orders"): size})
    assert patch.refused == {}
    if was:
        assert after == text.replace(f"{key}{equals}{was}", f"{key}{equals}{size}")
    else:
        new = f"{key}{equals}{size},{gap if wide else ' '}".replace("\n", newline)
        assert after == text.replace("handler", f"{new}handler", 1)
    if python:
        words = [node for node in ast.walk(ast.parse(after)) if isinstance(node, ast.keyword) and node.arg == key]
        assert [ast.literal_eval(word.value) for word in words] == [size]

"""Filter patterns: the documented examples, terms, values, and what holds of every pattern and message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors import patterns
from monitors.errors import PatternError

# CloudWatch Logs user guide, "Filter pattern syntax for metric filters, ..." (terms, regular expressions, JSON,
# space-delimited) and the API reference's TestMetricFilter: log lines, patterns, and the lines that match.
CORPORA = {
    "errors": [
        "[ERROR 400] BAD REQUEST",
        "[ERROR 401] UNAUTHORIZED REQUEST",
        "[ERROR 419] MISSING ARGUMENTS",
        "[ERROR 420] INVALID ARGUMENTS",
    ],
    "request": ["[INFO] REQUEST FAILED", "[WARN] UNAUTHORIZED REQUEST", "[ERROR] 400 BAD REQUEST"],
    "phrase": ["[ERROR 500] INTERNAL SERVER ERROR", "[ERROR 500] SERVER INTERNAL ERROR"],
    "auth": ["[ERROR 401] UNAUTHORIZED REQUEST", "[SUCCESS 200] AUTHORIZED REQUEST", "[SUCCESS 200] OK"],
    "words": [
        *("hat", "cat", "hats", "that", "color", "colour", "colouur", "gray", "grey"),
        *("starting up", "initializing x", "shutting down", "skipping initializing x"),
        *("[a]", "[7]", "[@]", "[]]", "[ ]", "10.10.0.1", "10010,051", "ac", "abc", "abbbc"),
        *("ab", "ab0", "ab129", "aaa", "aa", "#at", " at", "a:b", "a(b", "x1", "x_"),
    ],
    "trail": [
        json.dumps(
            {
                "eventType": "UpdateTrail",
                "sourceIPAddress": "111.111.111.111",
                "arrayKey": ["value", "another value"],
                "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
                "SomeObject": None,
                "cluster.name": "c",
            }
        )
    ],
    "users": [
        json.dumps(
            {
                "user": {"id": 1, "email": "John.Stiles@example.com"},
                "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
                "actions": ["GET", "PUT", "DELETE"],
                "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
            }
        )
    ],
    "numbers": [
        '{"bandwidth":76,"latency":49,"refreshRate":60,"responseTime":5,"errorCode":400,"number":[1000]}',
        '{"bandwidth":75,"latency":50,"refreshRate":59,"responseTime":6,"errorCode":500,"number":[0.001]}',
    ],
    "latency": ['{"latency":50,"requestType":"GET"}', '{"requestType":"GET"}'],
    "frank": ['127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'],
    "levels": [
        "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200",
        "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310",
        "WARNING 09/25/2014 12:00:02 Invalid user request",
        "ERROR 09/25/2014 12:00:02 Failed to process request",
    ],
    "apache": [
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534',
        '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.gif HTTP/1.0" 500 5324',
        '127.0.0.1 - frank [10/Oct/2000:13:50:35 -0700] "GET /apache_pb.gif HTTP/1.0" 200 4355',
    ],
    "html4xx": [
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534',
        '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /about-us/index.html HTTP/1.0" 200 5324',
        '127.0.0.1 - frank [10/Oct/2000:13:50:35 -0700] "GET /apache_pb.gif HTTP/1.0" 404 4355',
        '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /products/index.html HTTP/1.0" 400 1534',
    ],
    "log4j": [
        "02 May 2014 00:34:12,525 [INFO] Starting the application",
        "02 May 2014 00:35:14,245 [DEBUG] Database connection established",
        "02 May 2014 00:34:14,663 [INFO] Executing SQL Query",
        "02 May 2014 00:34:16,142 [ERROR] Unhanded exception: InvalidQueryException",
        "02 May 2014 00:34:16,224 [ERROR] Terminating the application",
    ],
}
CASES = [
    ("errors", "ERROR", [0, 1, 2, 3]),
    ("errors", "ERROR ARGUMENTS", [2, 3]),
    ("errors", "?ERROR ?ARGUMENTS", [0, 1, 2, 3]),
    ("errors", "ERROR -ARGUMENTS", [0, 1]),
    ("errors", '" "', [0, 1, 2, 3]),
    ("errors", "", [0, 1, 2, 3]),
    ("errors", "error", []),
    ("request", "?ERROR ?ARGUMENTS REQUEST", [0, 1, 2]),
    ("phrase", '"INTERNAL SERVER ERROR"', [0]),
    ("auth", "%AUTHORIZED%", [0, 1]),
    ("words", "%^[hc]at%", [0, 1, 2]),
    ("words", "%[hc]at$%", [0, 1, 3]),
    ("words", "%colou?r%", [4, 5]),
    ("words", "%gra|ey%", [7, 8]),
    ("words", "%^starting|^initializing|^shutting down%", [9, 10, 11]),
    ("words", r"%\[.\]%", [13, 14, 15, 16, 17]),
    ("words", r"%10\.10\.0\.1%", [18]),
    ("words", "%10.10.0.1%", [18, 19]),
    ("words", "%ab*c%", [20, 21, 22]),
    ("words", "%ab+c%", [21, 22]),
    ("words", "%a{3,5}%", [26]),
    ("words", "%a{3,}%", [26]),
    ("words", "%.at%", [0, 1, 2, 3, 28, 29]),
    ("words", r"%\x3A%", [30]),
    ("words", r"%\x28%", [31]),
    ("trail", '{ $.eventType = "UpdateTrail" }', [0]),
    ("trail", "{ $.sourceIPAddress != 123.123.* }", [0]),
    ("trail", '{ $.arrayKey[0] = "value" }', [0]),
    ("trail", "{ $.eventType = %Trail% }", [0]),
    ("trail", "{ $.arrayKey[*] = %val.{2}% }", [0]),
    ("trail", r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", [0]),
    ("trail", "{ $.['cluster.name'] = \"c\" }", [0]),
    ("trail", "{ $.SomeObject IS NULL }", [0]),
    ("trail", "{ $.SomeOtherObject NOT EXISTS }", [0]),
    ("trail", '{ $.eventType = "*" && $.sourceIPAddress != 123.123.* }', [0]),
    ("trail", "{ $.objectList[1].id = 2 }", [0]),
    ("trail", '{ $.arrayKey = "value" }', []),
    ("users", '{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', [0]),
    (
        "users",
        '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }',
        [0],
    ),
    (
        "users",
        '{($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch") && $.actions[2] = "nonmatch"}',
        [],
    ),
    ("users", '{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', []),
    ("users", "{ $.users = 1 }", []),
    ("users", "{ $.users != 1 }", []),
    ("numbers", "{ $.bandwidth > 75 }", [0]),
    ("numbers", "{ $.latency < 50 }", [0]),
    ("numbers", "{ $.refreshRate >= 60 }", [0]),
    ("numbers", "{ $.responseTime <= 5 }", [0]),
    ("numbers", "{ $.errorCode = 400}", [0]),
    ("numbers", "{ $.errorCode != 500 }", [0]),
    ("numbers", "{ $.number[0] = 1e+3 }", [0]),
    ("numbers", "{ $.number[0] != 1e-3 }", [0]),
    ("latency", "{ $.latency = * }", [0]),
    ("frank", "[ip, server, username, timestamp, request, status_code, bytes > 1000]", [0]),
    (
        "frank",
        r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
        [0],
    ),
    ("frank", "[..., request =*.html*, status_code = 4*, bytes]", [0]),
    (
        "frank",
        "[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]",
        [0],
    ),
    ("levels", "[w1=ERROR, w2]", [3]),
    ("levels", "[w1=ERROR || w1=WARNING, w2]", [2, 3]),
    ("levels", "[w1!=ERROR && w1!=WARNING, w2]", [0, 1]),
    ("levels", "[w1=ERROR || w1=%WARN%, w2]", [2, 3]),
    ("levels", "[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]", [0]),
    ("levels", "[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]", [1]),
    ("apache", "[ip, identity, user_id, timestamp, request, status_code, size]", [0, 1, 2]),
    ("apache", "[..., size]", [0, 1, 2]),
    ("apache", "[]", [0, 1, 2]),
    ("apache", "[..., status_code=200, size]", [0, 2]),
    ("html4xx", "[..., request=*.html*, status_code=4*,]", [0, 3]),
    ("log4j", '"[ERROR]"', [3, 4]),
    ("log4j", '"[ERROR]" Exception', [3]),
]


@pytest.mark.parametrize(("corpus", "pattern", "expected"), CASES)
def test_documented_examples(corpus: str, pattern: str, expected: list[int]) -> None:
    compiled = patterns.compile(pattern)
    found = [index for index, line in enumerate(CORPORA[corpus]) if compiled.match(line)]
    assert found == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        # documented: these are not supported
        ("%something!%", "Invalid character(s) in term '%something!'"),
        ("%(a|b)%", "Invalid character(s) in term '%('"),
        ("{ $.SomeObject IS NOT NULL }", "IS NULL, IS TRUE, IS FALSE, NOT EXISTS"),
        ("{ $.eventType EXISTS }", "not 'EXISTS'"),
        # as the service was seen to answer
        ("ERR*", "Invalid character(s) in term '*'"),
        ("?Status: timeout", "Invalid character(s) in term ':'"),
        ("PlayerSpawned (reason)", "Invalid character(s) in term '('"),
        ("%^(a)%", "Invalid character(s) in term '%^('"),
        ('{ $."detail-type" = "x" }', "Invalid character(s) in term '$.\"'"),
        ('{ $.message = "a", $.path = "b" }', "not ','"),
        ("{ $.a = %a% || $.b = %b% || $.c = %c% }", "maximum of 2 regular expressions"),
        ("[a = %a%, b = %b%, c = %c%]", "maximum of 2 regular expressions"),
        ("[word, word]", "Duplicate field 'word'"),
        ("[..., a, ...]", "Duplicate field '...'"),
        # terms
        ('"INTERNAL SERVER', 'there is no closing "'),
        ('-"timed out', "Invalid character(s)"),
        ("%unclosed", "there is no closing %"),
        ("-", "Invalid character(s) in term '-'"),
        ("? ERROR", "Invalid character(s) in term '?'"),
        ("größe", "Invalid character(s) in term 'ö'"),
        ("%a% %b% %c%", "maximum of 2 regular expressions"),
        ("a" * 1025, "less than or equal to 1024"),
    ],
)
def test_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError) as caught:
        patterns.compile(pattern)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("ERROR", "TERROR", True),  # a substring, not a word
        ("ERROR", "ERROR_ARGUMENTS", True),
        ("ARGUMENTS ERROR", "ERROR ARGUMENTS", True),  # in any order
        ("timed.out", "timed.out", True),
        ("timed.out", "timed out", False),
        ("x-amz-id", "x-amz-id", True),  # a hyphen inside a term excludes nothing
        ('"a  b"', "a b", False),  # the phrase is exact in its spaces
        (r'"say \"hi\" \\o"', r'say "hi" \o', True),
        ('-"timed out"', "Task timed out", False),
        ('-"timed out"', "done", True),  # exclusions alone match all the rest
        ("-DEBUG -TRACE", "INFO", True),
        ("-DEBUG -TRACE", "TRACE", False),
        ("?ERROR ?WARN", "WARN", True),
        ("?ERROR ?WARN", "INFO", False),
        ("?ERROR -WARN", "INFO", True),  # a ? term counts only among its own kind
        ("?ERROR -WARN", "ERROR WARN", False),
        (" \t ", "anything", True),
        ("", "", True),
        ('" "', "nospace", False),  # the service, against its documentation
        ("ERROR %[0-9]{3}%", "ERROR 500", True),
        ("ERROR %[0-9]{3}%", "ERROR 50", False),
        ("-%^START|^END%", "START RequestId: 1", False),
        ("-%^START|^END%", "REPORT RequestId: 1", True),
        ("a" * 1024, "b" + "a" * 1024, True),  # the longest pattern there may be
    ],
)
def test_terms(pattern: str, message: str, expected: bool) -> None:
    assert (patterns.compile(pattern).match(message) is not None) is expected


@pytest.mark.parametrize(
    ("message", "expected"), [("cat", True), ("cat\n", True), ("cat\n\n", False), ("cat\ndog", False)]
)
def test_the_end_of_a_message_is_before_the_newline_lambda_puts_there(message: str, expected: bool) -> None:
    assert (patterns.compile("%[hc]at$%").match(message) is not None) is expected


def test_terms_give_no_values_but_constants() -> None:
    pattern = patterns.compile("ERROR")
    match = pattern.match("ERROR 5")
    assert match is not None
    assert match.values == {}
    assert pattern.value("ERROR 5", "1") == 1.0
    assert pattern.value("ERROR 5", "2.5e1") == 25.0
    assert pattern.value("INFO 5", "1") is None
    with pytest.raises(PatternError, match=r"metric value \$\.latency must be a valid number"):
        pattern.value("ERROR 5", "$.latency")


MESSAGES = st.one_of(
    st.text(),
    st.sampled_from([line for lines in CORPORA.values() for line in lines]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ab"), inner),
    ).map(json.dumps),
)
PIECES = st.sampled_from(
    [*"{}[]()%\"'\\*?-$.,=!<>&| ab1", "$.a", "$.b[0]", "$.*", "[*]", "&&", "||", "IS NULL", "NOT EXISTS", "...", "%a+%"]
)
TEXTS = st.one_of(
    st.text(),
    st.lists(PIECES, max_size=30).map("".join),
    st.lists(PIECES, max_size=30).map(lambda pieces: "{" + " ".join(pieces) + "}"),
    st.lists(PIECES, max_size=30).map(lambda pieces: "[" + " ".join(pieces) + "]"),
    st.lists(PIECES, max_size=30).map(lambda pieces: "%" + "".join(pieces) + "%"),
)


@given(text=TEXTS, message=MESSAGES)
def test_any_text_compiles_or_is_refused_and_then_matches_or_not(text: str, message: str) -> None:
    try:
        pattern = patterns.compile(text)
    except PatternError as error:
        assert str(error)  # noqa: PT017  # either outcome is right
        return
    match = pattern.match(message)
    assert match is None or all(isinstance(value, str) for value in match.values.values())
    assert pattern.value(message, "1") == (None if match is None else 1.0)


@given(text=TEXTS, message=MESSAGES, selector=st.text() | st.sampled_from(["$.a", "$.b[0]", "$a", "$1", "$.*"]))
def test_any_selector_reads_or_is_refused(text: str, message: str, selector: str) -> None:
    try:
        pattern = patterns.compile(text)
        value = pattern.value(message, selector)
    except PatternError:
        return
    assert value is None or (pattern.match(message) is not None and abs(value) < float("inf"))


# --- hints -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "hints"),
    [
        ("ERROR", ("ERROR",)),
        ('ERROR "timed out" -Retry', ("timed out",)),
        ("?ERROR ?WARN", ("ERROR", "WARN")),
        ("?ERROR ?%[a-z]+%", ()),
        ("?ERROR fatal", ("fatal",)),
        ("-Retry", ()),
        ("%[Tt]hrottl(e|ing)%", None),
        ("%[Tt]hrottl|slow%", ("hrottl", "slow")),
        ("%[0-9]+%", ()),
        ("{ $.amount > 900 }", ("amount", "\\u")),
        ('{ $.event = "order" }', ("order", "\\u")),
        ('{ $.event = "order*" }', ("event", "\\u")),
        ("{ $.code = 404 }", ("code", "\\u")),
        ('{ $.event = "order" && $.amount > 1 }', ("amount", "\\u")),
        ('{ $.event = "order" || $.amount > 1 }', ("order", "amount", "\\u")),
        ("{ $.error NOT EXISTS }", ()),
        ("{ $.error NOT EXISTS || $.amount > 1 }", ()),
        ("{ $.error NOT EXISTS && $.amount > 1 }", ("amount", "\\u")),
        ("{ $.error IS NULL }", ("error", "\\u")),
        ("[ip, status = 5*]", ()),
    ],
)
def test_what_a_line_must_have(pattern: str, hints: tuple[str, ...] | None) -> None:
    """`match` looks for the hints first, so that every example above would fail by one too many."""
    if hints is None:
        with pytest.raises(PatternError):
            patterns.compile(pattern)
    else:
        assert patterns.compile(pattern).hints == hints


def test_a_key_or_value_written_with_escapes_is_found_all_the_same() -> None:
    escaped = r'{"\u0065vent": "\u006frder"}'
    assert patterns.compile('{ $.event = "order" }').match(escaped)

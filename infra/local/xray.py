"""X-Ray of the embedded account: a UDP receiver, PutTraceSegments, GetTraceSummaries, BatchGetTraces.

As X-Ray does, separately sent subsegments are put back into their segments when a trace is read, and a complete
document replaces one in progress. Not modelled: inferred segments, filter expressions, groups, sampling rules.
"""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
log = logging.getLogger(__name__)

BATCH_LIMIT = 5  # BatchGetTraces takes 5 ids a call
PAGE = 100
DATAGRAM = 65_535
FOREVER_S = 1e11  # neither infinite nor NaN, nor beyond any calendar
TRACE_ID = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")


class TraceStore:
    """Trace documents by trace id and document id."""

    def __init__(self) -> None:
        # As text: whoever reads a trace puts it together anew, and must not change what is kept.
        self._traces: dict[str, dict[str, str]] = {}
        self._begun: set[str] = set()
        self._lock = threading.Lock()

    def put(self, document: Json) -> None:
        """Keep a segment or separately sent subsegment.

        Raises:
            ValueError: it lacks its id, trace id, name or start time.
        """
        if not _is_valid(document):
            raise ValueError("Missing or invalid segment ID, trace ID, name, start time or end time")
        id_, in_progress = document["id"], bool(document.get("in_progress"))
        with self._lock:
            documents = self._traces.setdefault(document["trace_id"], {})
            if id_ not in documents or id_ in self._begun or not in_progress:
                documents[id_] = json.dumps(document)
                (self._begun.add if in_progress else self._begun.discard)(id_)

    def between(self, start_s: float, end_s: float) -> list[str]:
        """Ids of traces that began in [start, end), newest first. A trace id says its second."""
        with self._lock:
            begun = [(int(trace_id[2:10], 16), trace_id) for trace_id in self._traces]
        return [trace_id for at, trace_id in sorted(begun, reverse=True) if int(start_s) <= at < end_s]

    def segments(self, trace_id: str) -> list[Json]:
        """The trace's segments, each with its subsegments inside; what has no parent here stands alone."""
        with self._lock:
            texts = list(self._traces.get(trace_id, {}).values())
        documents: dict[str, Json] = {document["id"]: document for document in map(json.loads, texts)}
        nodes = dict(documents)
        for document in documents.values():
            _index(document, nodes)
        whole = []
        for document in documents.values():
            parent = nodes.get(document.get("parent_id", ""))
            if (
                document.get("type") == "subsegment"
                and parent is not None
                and not _is_above(document, parent, documents)
            ):
                parent["subsegments"] = [*(parent.get("subsegments") or []), document]
            else:
                whole.append(document)
        return whole


def _is_above(document: Json, node: Json | None, documents: Mapping[str, Json]) -> bool:
    """Whether the node is the document itself, or hangs on it: putting that into the node would make a ring."""
    seen: set[str] = set()
    while node is not None and node["id"] not in seen:
        if node is document:
            return True
        seen.add(node["id"])
        node = documents.get(node.get("parent_id", ""))
    return False


def _is_valid(document: object) -> bool:
    match document:
        case {"trace_id": str(trace_id), "id": str(id_), "name": str(name), "start_time": start_s, **rest}:
            times = (start_s, rest.get("end_time") or start_s)
            told = bool(TRACE_ID.fullmatch(trace_id) and id_ and name and start_s)
            return told and all(isinstance(at_s, int | float) and abs(at_s) < FOREVER_S for at_s in times)
    return False


def _index(document: Json, nodes: dict[str, Json]) -> None:
    waiting = [document]
    while waiting:
        for child in waiting.pop().get("subsegments") or []:
            if isinstance(child, dict) and child.get("id"):
                nodes.setdefault(child["id"], child)
                waiting.append(child)


STORE = TraceStore()


def answer(path: str, body: Json) -> tuple[int, Json]:
    """(HTTP status, body) of one X-Ray API call."""
    operation = OPERATIONS[path]
    try:
        return 200, operation(body)
    except ValueError as error:
        return 400, {"__type": "InvalidRequestException", "Message": str(error)}


def _put_trace_segments(body: Json) -> Json:
    refused = []
    for text in body.get("TraceSegmentDocuments") or []:
        try:
            STORE.put(json.loads(text))
        except (ValueError, RecursionError) as error:
            refused.append({"ErrorCode": "InvalidSegment", "Message": str(error)})
    return {"UnprocessedTraceSegments": refused}


def _trace_summaries(body: Json) -> Json:
    start, end = float(body["StartTime"]), float(body["EndTime"])
    if not 0 < end - start <= 24 * 3600:
        raise ValueError("Time range must be positive and not longer than 24 hours")
    if body.get("FilterExpression"):
        raise ValueError("The embedded account does not know filter expressions")
    ids = STORE.between(start, end)
    if body.get("Sampling"):
        ids = [one for one in ids if int(one[-8:], 16) < float(body["SamplingStrategy"]["Value"]) * 2**32]
    offset = int(body.get("NextToken") or 0)
    more = {"NextToken": str(offset + PAGE)} if offset + PAGE < len(ids) else {}
    found = [_summary(trace_id) for trace_id in ids[offset : offset + PAGE]]
    return {
        "TraceSummaries": found,
        "TracesProcessedCount": len(found),
        "ApproximateTime": time.time(),
        **more,
    }


def _summary(trace_id: str) -> Json:
    segments = STORE.segments(trace_id)
    known = {segment["id"] for segment in segments}
    roots = [s for s in segments if s.get("parent_id") not in known] or segments
    root = min(roots, key=lambda s: s["start_time"])
    return {
        "Id": trace_id,
        "Duration": _span(segments),
        "ResponseTime": max(0.0, (root.get("end_time") or root["start_time"]) - root["start_time"]),
        "HasFault": bool(root.get("fault")),
        "HasError": bool(root.get("error")),
        "HasThrottle": any(bool(s.get("throttle")) for s in segments),
        "IsPartial": any(bool(s.get("in_progress")) for s in segments),
        "ServiceIds": [{"Name": s["name"], "Type": s.get("origin", "")} for s in segments],
        "Annotations": {},
    }


def _span(segments: list[Json]) -> float:
    start = min(float(s["start_time"]) for s in segments)
    return max(float(s.get("end_time") or s["start_time"]) for s in segments) - start


def _batch_get_traces(body: Json) -> Json:
    ids = body.get("TraceIds") or []
    if len(ids) > BATCH_LIMIT or len(set(ids)) < len(ids):
        raise ValueError(f"At most {BATCH_LIMIT} different trace ids a call")
    traces = [
        {
            "Id": trace_id,
            "Duration": _span(segments),
            "LimitExceeded": False,
            "Segments": [{"Id": s["id"], "Document": json.dumps(s)} for s in segments],
        }
        for trace_id in ids
        if (segments := STORE.segments(trace_id))
    ]
    return {"Traces": traces, "UnprocessedTraceIds": []}


OPERATIONS: Mapping[str, Callable[[Json], Json]] = {
    "/TraceSegments": _put_trace_segments,
    "/GetTraceSegmentDestination": lambda _: {"Destination": "XRay", "Status": "ACTIVE"},
    "/TraceSummaries": _trace_summaries,
    "/Traces": _batch_get_traces,
    "/TelemetryRecords": lambda _body: {},
    "/GetSamplingRules": lambda _body: {"SamplingRuleRecords": []},
    "/SamplingTargets": lambda _body: {"SamplingTargetDocuments": [], "UnprocessedStatistics": []},
}


def receive() -> int:
    """Listen for the X-Ray SDK's datagrams on a free port of 127.0.0.1, in a thread; the port."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
    listener.bind(("127.0.0.1", 0))
    threading.Thread(target=_listen, args=(listener,), daemon=True, name="xray-receiver").start()
    port: int = listener.getsockname()[1]
    return port


def _listen(listener: socket.socket) -> None:
    """Each datagram is a one-line header, a newline and one document."""
    while True:
        header, _, document = listener.recv(DATAGRAM).partition(b"\n")
        try:
            if b'"format"' in header and document:
                STORE.put(json.loads(document))
        except (ValueError, RecursionError) as error:
            log.warning("trace document refused: %s", error)

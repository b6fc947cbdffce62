"""A fake X-Ray that keeps the real one's limits, at the far end of the SDK's wire."""

import threading
from collections import Counter
from datetime import datetime
from typing import Any

from tests.aws import Aws

PAGE = 3


class XRay(Aws):
    """Traces by id, each at the time its id says; five ids a call, none twice; 24 hours a window; three ids a page."""

    def __init__(self, times: list[int]) -> None:
        super().__init__({"xray:GetTraceSummaries": self.summaries, "xray:BatchGetTraces": self.batch})
        self.ids = [f"1-{time:08x}-{n:024x}" for n, time in enumerate(times)]
        self.busy: Counter[str] = Counter()
        """Id -> how often it is yet to be unprocessed."""
        self.unknown: set[str] = set()
        self.windows: list[tuple[datetime, datetime]] = []
        self.lock = threading.Lock()

    @property
    def batches(self) -> list[list[str]]:
        """The ids of each call, without those for further pages."""
        asked = [parameters for call, _, parameters in self.asked if call == "xray:BatchGetTraces"]
        return [parameters["TraceIds"] for parameters in asked if "NextToken" not in parameters]

    def summaries(self, request: Any, _region: str) -> Any:
        start, end = request["StartTime"], request["EndTime"]
        if (end - start).total_seconds() > 86_400:
            return "InvalidRequestException", "Time range cannot be longer than 24 hours"
        first = int(request.get("NextToken", "0"))
        if not first:
            self.windows.append((start, end))
        inside = [i for i in self.ids if start.timestamp() <= int(i[2:10], 16) <= end.timestamp()][::-1]
        if request.get("Sampling"):
            assert request["SamplingStrategy"]["Name"] == "FixedRate"
            inside = [i for i in inside if int(i[-6:], 16) % 1000 < 1000 * request["SamplingStrategy"]["Value"]]
        more = {"NextToken": str(first + PAGE)} if first + PAGE < len(inside) else {}
        service = {"Name": "shop", "Type": "AWS::Lambda"}
        found = [{"Id": i, "ResponseTime": 0.1, "ServiceIds": [service]} for i in inside[first : first + PAGE]]
        return {"TraceSummaries": found, **more}

    def batch(self, request: Any, _region: str) -> Any:
        """Each trace's two segments come on two pages."""
        ids = request["TraceIds"]
        if len(ids) > 5 or len(set(ids)) < len(ids):
            return "InvalidRequestException", "at most five ids, none twice"
        page = int(request.get("NextToken", "0"))
        with self.lock:
            unprocessed = [i for i in ids if self.busy[i] > 0]
            if page or not any(i not in unprocessed for i in ids):
                self.busy -= Counter(unprocessed)
        segments = [{"Id": f"{page}", "Document": "{}"}]
        traces = [
            {"Id": i, "Duration": 1.0, "LimitExceeded": False, "Segments": segments}
            for i in ids
            if i not in unprocessed and i not in self.unknown
        ]
        more = {} if page or not traces else {"NextToken": "1"}
        return {"Traces": traces, "UnprocessedTraceIds": unprocessed, **more}

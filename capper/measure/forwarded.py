"""A request as it went on to its origin, written back into a HAR entry."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from capper.domain.exchange import Request


def put_request(entry: dict[str, Any], was: Request, now: Request) -> None:
    """Change `entry` in place where the request became another: its URL and query, its body and what says how long that is."""
    asked = entry["request"]
    if now.url != was.url:
        asked["url"] = now.url
        if "queryString" in asked:
            pairs = parse_qsl(urlsplit(now.url).query, keep_blank_values=True)
            asked["queryString"] = [{"name": name, "value": value} for name, value in pairs]
    if now.body != was.body:
        asked["postData"]["text"] = now.body.decode("utf-8", "surrogatepass")
        asked["bodySize"] = len(now.body)
    if now.headers != was.headers:
        length = now.headers.get("content-length")
        for field in asked["headers"]:
            if isinstance(field, dict) and str(field.get("name")).lower() == "content-length":
                field["value"] = length

"""Who can read an answer beside the person it is for: the scripts of the page that asked for it."""

from capper.domain.exchange import Request, origin_of


def hers_alone(request: Request) -> bool:
    """Whether no script can read what is answered here, so that it may say what is between capper and her.

    A page reads what comes from its own origin (also through a service worker), and what it asks for by CORS. What another
    origin shows it, as a picture or in a frame, it cannot read. Where the request does not tell, a page may read it.
    """
    headers = request.headers
    site = headers.get("sec-fetch-site")
    if site:
        return site != "same-origin" and headers.get("sec-fetch-mode") in {"navigate", "no-cors"}
    # Browsers tell that of secure hosts alone. No page can make its requests look like another site's.
    referrer = headers.get("referer")
    return bool(referrer) and "origin" not in headers and origin_of(referrer) != origin_of(request.url)

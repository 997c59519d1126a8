"""Who can read an answer beside the person it is for: the scripts of the page that asked for it."""

from capper.domain.exchange import Request, origin_of


def hers_alone(request: Request) -> bool:
    """Whether no script can read what is answered here, so that it may say what is between capper and her.

    A page reads what comes from its own origin (also through a service worker), and what it asks for by CORS. What another
    origin shows it, as a picture or in a frame, it cannot read. Where the request does not tell, a page may read it.
    """
    headers = request.headers
    site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
    if site:
        # A frame that a service worker asks for on its page's behalf is for nothing: its answer is the worker's to read.
        led = mode == "navigate" and headers.get("sec-fetch-dest", "empty") != "empty"
        return site != "same-origin" and (led or mode == "no-cors")
    if request.url.startswith("https:"):
        # Browsers tell that of every secure host; one that is too old to has service workers all the same.
        return False
    # No page can make its requests look like another site's.
    referrer = headers.get("referer")
    return bool(referrer) and "origin" not in headers and origin_of(referrer) != origin_of(request.url)

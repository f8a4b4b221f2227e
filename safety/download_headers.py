"""What a request for a download carries, whether the file is fetched or only asked whether it has changed."""

import os

AUTHORIZATION = "SMALLSET_DOWNLOAD_AUTHORIZATION"  # a variable: secrets come from nowhere else


def download_headers() -> dict[str, str]:
    """Headers of such a request, with the authorization that the environment has, if any.

    `safety.web.Route` sends an authorization to the server that was named alone, and not on to another one.
    """
    # Compression on the way would be of another length and another ETag, and a range of its bytes of something else.
    headers = {"Accept-Encoding": "identity"}
    if authorization := os.environ.get(AUTHORIZATION):
        headers["Authorization"] = authorization
    return headers

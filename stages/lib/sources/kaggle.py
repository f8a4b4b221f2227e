"""The images of a Kaggle competition, through Kaggle's own client."""

import zipfile
from pathlib import Path

from stages.lib.core.errors import TemporaryError, UserError

_TRAINING = "train.zip"


def fetch(competition: str) -> Path:
    """Download a competition and find the archive of its training images; Kaggle's client keeps it in its cache.

    Returns:
        `train.zip`.

    Raises:
        UserError: no credentials or wrong ones, the rules are not accepted, no such competition, no network, or the
            competition holds no `train.zip`.
    """
    import kagglehub
    import requests
    from kagglehub import exceptions

    page = f"https://www.kaggle.com/competitions/{competition}"
    try:
        folder = Path(kagglehub.competition_download(competition))
    except exceptions.UnauthenticatedError:
        raise UserError(f"kaggle: found no credentials; {_HOW_TO_SIGN_IN}") from None
    except (exceptions.DataCorruptionError, zipfile.BadZipFile):
        raise TemporaryError(f"kaggle: {competition} arrived damaged; run again") from None
    except requests.HTTPError as error:
        raise _explained(error, competition, page) from None
    except requests.RequestException as error:
        raise TemporaryError(
            f"kaggle: cannot be reached ({type(error).__name__}); check the network, run again"
        ) from None
    except ValueError as error:
        # Kaggle's client: a credentials file that is no JSON or lacks a key, or a name that cannot be one.
        raise UserError(
            f"kaggle: {error}; {_HOW_TO_SIGN_IN}, and download.competition to the last part of {page}"
        ) from None
    return _training_archive(folder, competition)


_HOW_TO_SIGN_IN = (
    "create a token at https://www.kaggle.com/settings/api and set KAGGLE_API_TOKEN to it, "
    "or save it as ~/.kaggle/access_token, or an older kaggle.json as ~/.kaggle/kaggle.json"
)


def _explained(error: Exception, competition: str, page: str) -> UserError:
    response = getattr(error, "response", None)
    status = response.status_code if response is not None else None
    if status == 401:
        return UserError(f"kaggle: the credentials are not accepted (401); {_HOW_TO_SIGN_IN}")
    if status == 403:
        rules = f"{page}/rules"
        return UserError(
            f"kaggle: the rules of {competition} are not accepted (403); accept them at {rules}, run again"
        )
    if status == 404:
        return UserError(f"download.competition: expected the name of a competition, {page} does not exist (404)")
    return TemporaryError(f"kaggle: {competition}: the server answered {status}; run again later")


def _training_archive(folder: Path, competition: str) -> Path:
    found = sorted(folder.rglob(_TRAINING))
    if not found:
        names = sorted(path.name for path in folder.iterdir())[:5]
        raise UserError(f"kaggle: expected {_TRAINING} in {competition}, found {', '.join(names) or 'nothing'}")
    return found[0]

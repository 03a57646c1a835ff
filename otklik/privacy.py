"""What of a resident may leave `raw`: a keyed hash instead of the author, and text with the numbers taken out."""

from collections.abc import Sequence

import polars as pl
import polars_hash as plh

HIDDEN = "[скрыто]"
# Boundaries and digits are ASCII's: Unicode's make the search in Russian text tens of times slower, and a letter
# of any alphabet before a number is a boundary to them, as it should be here.
_EDGE = r"(?-u:\b)"
_PERSONAL = "|".join(
    (
        r"[A-Za-z0-9._%+-]+@[A-Za-zА-Яа-яЁё0-9.-]+",  # e-mail
        rf"{_EDGE}[0-9]{{4}}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}[ -]?[0-9]{{4}}(?:[ -]?[0-9]{{2,3}})?{_EDGE}",  # card
        rf"{_EDGE}[0-9]{{3}}-[0-9]{{3}}-[0-9]{{3}}[ -][0-9]{{2}}{_EDGE}",  # СНИЛС
        rf"(?:\+7|{_EDGE}[78])[ (-]*[0-9]{{3}}[ )-]*[0-9]{{3}}[ -]*[0-9]{{2}}[ -]*[0-9]{{2}}{_EDGE}",  # phone
        rf"\([0-9]{{3,5}}\)[ -]*[0-9]{{1,3}}[ -]?[0-9]{{2}}[ -]?[0-9]{{2}}{_EDGE}",  # phone with a code of a city
        rf"{_EDGE}9[0-9]{{2}}[ -]?[0-9]{{3}}[ -]?[0-9]{{2}}[ -]?[0-9]{{2}}{_EDGE}",  # mobile phone without the 8
        rf"{_EDGE}[0-9]{{2}} ?[0-9]{{2}} ?(?:№ ?)?[0-9]{{6}}{_EDGE}",  # passport
        rf"{_EDGE}[0-9]{{10,12}}{_EDGE}",  # ИНН, and any other number as long
    )
)


def author_hash(fields: Sequence[str], key: str) -> pl.Expr:
    """Return HMAC-SHA-256 (hex) of the first known of the author's fields; NULL where none is.

    Names count without regard to case, ids and addresses as they are.
    """
    author = pl.coalesce(pl.col(name).str.to_lowercase() if name.endswith("_name") else name for name in fields)
    return plh.concat_str(author).chash.hmac_sha256(key=key)


def masked_text(field: str) -> pl.Expr:
    """Return the text with phones, e-mails, card and document numbers hidden; NULL where there was none to hide."""
    masked = pl.col(field).str.replace_all(_PERSONAL, HIDDEN)
    return pl.when(masked != pl.col(field)).then(masked)

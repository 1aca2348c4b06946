"""The vocabulary of the features: whole words, in the languages that users of routers complained about.

Words with boundaries are matched as whole lower-case words ("hi" is not in "this"). Chinese, Japanese and Korean write
no spaces, so their terms are matched inside the text; each is long enough to mean only that.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _terms(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GREETING = _words(
    """hi hii hello hey heya yo howdy greetings morning afternoon evening welcome bye goodbye cheers hallo hola bonjour
    salut ciao olá oi привет здравствуйте merhaba xin chào"""
)
ACKNOWLEDGEMENT = _words(
    """ok okay yes no yep nope sure thanks thank thx ty great nice cool perfect fine good please sorry continue proceed
    go ahead right correct done danke gracias merci obrigado grazie спасибо да нет ja nein sí oui"""
)
# What may accompany a greeting or an acknowledgement without making it a question.
FILLER = _words(
    """there you u how are is it a the to for and so very much all everyone again my friend what's up day doing i i'm
    am"""
)
TRANSLATE = _words(
    """translate translation spell spelling spellcheck proofread grammar typo rephrase paraphrase reword synonym
    synonyms antonym antonyms capitalize uppercase lowercase convert übersetze übersetzen traduce traducir
    traduis traduire traduza traduzir traduci переведи перевести çevir"""
)
LOOKUP = _words(
    """what what's who who's when where which name define list capital was wie quién qué cuál quand quem кто что где
    когда"""
)

HARD_VERB = _words(
    """design architect prove disprove derive optimize optimise analyze analyse evaluate diagnose debug refactor
    implement formalize formalise synthesize critique investigate devise model simulate migrate integrate
    justify compare contrast assess develop build plan establish construct demonstrate deduce infer verify
    entwerfe entwickle beweise analysiere implementiere diseña diseñar demuestra demostrar analiza implementa
    conçois concevoir démontre démontrer analyse implémente projete prove demonstre analise implemente progetta
    dimostra спроектируйте спроектируй разработайте разработай докажите докажи проанализируйте реализуйте
    tasarla kan\u0131tla डिज़ाइन सिद्ध विश्लेषण صمم أثبت برهن حلل طور thiết chứng"""
)
PROOF = _words(
    """prove proof proofs disprove theorem lemma corollary axiom conjecture induction contradiction formally rigorous
    rigorously derive derivation demonstrate beweise beweis demuestra demuestre demostrar démontre démontrez
    démontrer prouvez preuve demonstre dimostra докажите докажи доказательство kan\u0131tla सिद्ध أثبت برهن chứng"""
)
MATH = _words(
    """integral integrals derivative matrix matrices eigenvalue eigenvalues eigenvector polynomial polynomials equation
    equations probability probabilities irrational prime primes modulo modular convex convergence converges
    bounded differential topology manifold group ring field homomorphism isomorphism vector asymptotic
    complexity np-hard np-complete logarithm factorial combinatorial recurrence inequality expectation variance
    bayesian stochastic"""
)
ARCHITECTURE = _words(
    """architecture architectures architectural distributed scalable scalability microservice microservices consensus
    concurrency concurrent fault-tolerant fault-tolerance throughput latency consistency sharding shard
    replication replicated failover multi-region multi-tenant migration pipeline pipelines infrastructure
    kubernetes kafka event-driven real-time high-availability platform system systems protocol protocols
    security compliance encryption observability disaster recovery algorithm compiler scheduler transaction
    transactions architektur arquitectura arquitetura architettura архитектура архитектуру система систему
    распределенную систему sistema système système verteiltes प्लेटफॉर्म آर्किटेक्चर نظام"""
)
CONSTRAINT = _words(
    """must ensure ensuring guarantee guarantees constraint constraints requirement requirements require requires
    exactly without minimum maximum minimize maximize limit limits limited budget within tolerate tolerates
    cannot strictly including handle handles handling support supports supporting"""
)
CONDITION = _words(
    """if unless given suppose assume assuming provided otherwise whether either neither except only iff let"""
)
REASONING = _words(
    """why justify trade-off trade-offs tradeoff tradeoffs implications consequences reasoning step-by-step rationale
    hypothesis counterexample paradox ethical root cause optimal optimum strategy strategies framework
    comprehensive thorough critically"""
)

HARD_TERMS_CJK = _terms(
    """设计 設計 架构 架構 分析 优化 優化 最適化 实现 實現 実装 重构 评估 构建 制定 アーキテクチャ 構築
    분석 설계 구현 최적화 아키텍처 구축 开发 開発 개발"""
)
PROOF_TERMS_CJK = _terms("""证明 證明 証明 推导 導出 归纳法 帰納法 증명 유도 定理""")
ARCHITECTURE_TERMS_CJK = _terms(
    """分布式 分散 分佈式 高可用 微服务 マイクロサービス 系统 系統 システム 시스템 分布 一致性 一貫性 분산
    마이크로서비스 平台 플랫폼 容错 可扩展 スケーラブル 확장"""
)
CHEAP_TERMS_CJK = _terms("""你好 您好 こんにちは 안녕 谢谢 ありがとう 감사합니다 翻译 翻訳 번역""")

SPEAKER = _words("i my me you your we our")
CASE = _words("if unless given suppose assume assuming provided otherwise whether either only let when then")

# What a prompt is about, and how it speaks. Only a head learnt from the operator's own labels knows their worth.
TOPICS: dict[str, frozenset[str]] = {
    "negation": _words(
        "not no never none nor cannot can't don't doesn't isn't won't without except false incorrect neither least"
    ),
    "which_of": _words("which following"),
    "how_many": _words("many much total"),
    "pronoun": _words("he she his her him they them their it its"),
    "past": _words("was were had did said"),
    "modal": _words("would could should might may can will"),
    "unit": _words(
        "miles hours minutes days weeks years feet inches meters km cm kg grams pounds dollars cents percent each per"
    ),
    "calculation": _words(
        """find solve value equation function number sum product ratio probability integer integers real positive angle
        triangle area volume digits divided remainder expression simplify compute calculate determine evaluate"""
    ),
    "science": _words(
        """energy force mass velocity temperature pressure electron atom molecule cell gene protein dna acid reaction
        current voltage gas heat wavelength frequency mole"""
    ),
    "law": _words(
        """court plaintiff defendant contract statute tort state federal liable constitutional property seller buyer
        jury evidence motion law"""
    ),
    "medicine": _words(
        "patient disease blood treatment symptoms clinical therapy pain diagnosis hospital year-old drug"
    ),
    "history": _words(
        "war century government political king states soviet treaty revolution party economic policy history"
    ),
    "programming": _words(
        "function python code string list array return input output program write given class method sql database int"
    ),
    "errand": _words("weather book flight restaurant get retrieve search nearby convert calculate stock user id"),
    "comparison": _words("more less most best better than greatest highest lowest primary likely main"),
    "selection": _words("true false statement statements correct both all above none"),
    "writing": _words("write create generate compose draft story essay email poem describe explain summarize"),
}

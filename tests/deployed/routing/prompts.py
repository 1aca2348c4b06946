"""The prompts of the routing suite, and the pools that they lead to unless --pools says otherwise."""

from __future__ import annotations

# virtual model -> (pool of simple requests, pool of complex ones); --pools FILE replaces it
DEFAULT_POOLS = {
    "chat-auto": ("pool-chat-mini", "pool-chat-standard"),
    "codex-auto": ("pool-codex-mini", "pool-codex-heavy"),
    "claude-auto": ("pool-claude-haiku", "pool-claude-sonnet"),
}
SIMPLE, COMPLEX = "simple", "complex"
PROMPTS = {
    SIMPLE: "hi",
    COMPLEX: (
        "Design a distributed rate limiter for 200 services in 3 regions. It must never admit more than 1.5 times the "
        "configured limit, must keep working when one region is cut off for up to 10 minutes, and must add less than "
        "2 ms at the 99th percentile. Compare a token bucket with a sliding window under clock skew of 500 ms, prove "
        "the upper bound on what is admitted during a partition, derive the memory needed for 10 million keys, then "
        "implement the merge step after the partition heals so that it is idempotent, commutative and linearizable per "
        "key. Explain step by step why each alternative that you reject fails, including the failure modes of Redis "
        "replication, and analyse the worst-case complexity of every operation."
    ),
}

# Our own prompts by language: small talk, and a task that deserves the strong pool.
LANGUAGES = {
    "German": (
        "hallo",
        "Entwirf einen verteilten Ratenbegrenzer für 200 Dienste in 3 Regionen, beweise die obere Schranke während "
        "einer Partition und vergleiche zwei Verfahren; begründe jede Abwägung Schritt für Schritt.",
    ),
    "French": (
        "bonjour",
        "Conçois un limiteur de débit distribué pour 200 services dans 3 régions, démontre la borne supérieure pendant "
        "une partition et compare deux algorithmes ; justifie chaque compromis étape par étape.",
    ),
    "Spanish": (
        "¡hola!",
        "Diseña un limitador de tasa distribuido para 200 servicios en 3 regiones, demuestra la cota superior durante "
        "una partición y compara dos algoritmos; justifica cada decisión paso a paso.",
    ),
    "Russian": (
        "привет",
        "Спроектируй распределённый ограничитель запросов для 200 сервисов в 3 регионах, докажи верхнюю границу при "
        "разделении сети и сравни два алгоритма; обоснуй каждый компромисс по шагам.",
    ),
    "Chinese": (
        "你好",
        "为3个地区的200个服务设计一个分布式限流器，证明网络分区期间的上界，并比较两种算法，逐步论证每个取舍。",
    ),
    "Japanese": (
        "ありがとう",
        "3つのリージョンにある200のサービスのための分散レートリミッターを設計し、ネットワーク分断時の上限を証明し、"
        "二つのアルゴリズムを比較して、各トレードオフを段階的に説明してください。",
    ),
}
# A picture of one red point, PNG.
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)

"""What chats cost as they become more: a model of users, turns and partitions, printed as tables.

    python -m tools.growth

docs/performance.md shows what it prints. Everything assumed is a constant here; the request units
are on paper, until a real account has been asked (`x-ms-request-charge`).
"""

import math
import random
from collections.abc import Iterator, Sequence

# A chat: created, then turns, each of which lists the last page and appends a question and an
# answer, in two calls.
TURNS = 8
QUESTION_BYTES, ANSWER_BYTES = 300, 1_200
PAGE = 20
# Of each item's document: ids, sort key, mark, system properties, its entry in the index.
ENVELOPE_BYTES = 700
CONVERSATION_BYTES = 1_000

# Request units: a write of a document up to 1 KB with one path indexed, more in proportion; the
# patch in an append; a list with its look at the conversation, and for each KB that it reads. Reads
# are taken under the default consistency; Session halves them.
WRITE_RU, PATCH_RU, LIST_RU, READ_RU_PER_KB = 5.5, 11.0, 4.0, 0.5

# Use: chats of a user in a day differ (log-normal), hours of a day differ, moments of an hour too.
CHATS_PER_USER, SPREAD = 2.0, 1.5
BUSIEST_HOUR, BUSIEST_MOMENT = 2.0, 1.5  # over the mean of the day, over that of the hour

# Limits of Cosmos DB: https://learn.microsoft.com/azure/cosmos-db/concepts-limits
LOGICAL_BYTES, PHYSICAL_BYTES, PARTITION_RU = 20e9, 50e9, 10_000
# Autoscale goes from a tenth of its ceiling to it; for each GB stored the tenth is 1 RU/s at least.
LEAST_RU_PER_GB, AUTOSCALE = 1.0, 10

# US dollars, those of docs/deployment.md#what-it-costs: check them.
RU_HOUR, GB_MONTH, EXECUTION = 0.012 / 100, 0.25, 0.40 / 1e6
INSTANCE_SECOND = 2 * 0.000026
SERVERLESS_RU = 0.25 / 1e6
REQUESTS_PER_INSTANCE = 300  # a second, on one core with the worker's own share
DAYS = 30

DAY = 86_400


def stored(text_bytes: int) -> int:
    """Bytes of an item's document."""
    return text_bytes + ENVELOPE_BYTES


def append_ru(*texts: int) -> float:
    """Request units of one append of items with so many bytes each."""
    return PATCH_RU + sum(WRITE_RU * max(1.0, stored(text) / 1_000) for text in texts)


def list_ru(items: int) -> float:
    """Request units of the last page of a conversation with so many items."""
    read = min(items, PAGE) * stored((QUESTION_BYTES + ANSWER_BYTES) // 2)
    return LIST_RU + READ_RU_PER_KB * read / 1_000


def chat_ru(turns: int = TURNS) -> float:
    """Request units of a whole chat."""
    turn = append_ru(QUESTION_BYTES) + append_ru(ANSWER_BYTES)
    return WRITE_RU + sum(list_ru(2 * number) + turn for number in range(turns))


def chat_bytes(turns: int = TURNS) -> int:
    """Bytes that a whole chat leaves behind."""
    return CONVERSATION_BYTES + turns * (stored(QUESTION_BYTES) + stored(ANSWER_BYTES))


def partitions(ru_per_second: float, bytes_: float) -> int:
    """Physical partitions that hold so much, and serve so much."""
    return max(1, math.ceil(ru_per_second / PARTITION_RU), math.ceil(bytes_ / PHYSICAL_BYTES))


def hottest(users: int, physical: int, dice: random.Random) -> float:
    """What the busiest partition has to serve, over the mean: each user is on one, by a hash."""
    load = [0.0] * physical
    for _ in range(users):
        load[dice.randrange(physical)] += dice.lognormvariate(0, SPREAD)
    return max(load) * physical / sum(load)


def by_turn() -> Iterator[Sequence[object]]:
    """What one thing costs, and leaves behind."""
    yield "What", "RU", "Bytes stored"
    yield "create", WRITE_RU, CONVERSATION_BYTES
    yield "append of a question", append_ru(QUESTION_BYTES), stored(QUESTION_BYTES)
    yield "append of an answer", append_ru(ANSWER_BYTES), stored(ANSWER_BYTES)
    both = append_ru(QUESTION_BYTES, ANSWER_BYTES)
    bytes_of_turn = stored(QUESTION_BYTES) + stored(ANSWER_BYTES)
    yield "append of both in one call", both, bytes_of_turn
    yield f"list of {PAGE}", list_ru(PAGE), 0
    turn = list_ru(PAGE) + append_ru(QUESTION_BYTES) + append_ru(ANSWER_BYTES)
    yield "**turn**: list, append, append", turn, bytes_of_turn
    yield "turn: list, append of both", list_ru(PAGE) + both, bytes_of_turn
    yield f"**chat** of {TURNS} turns", chat_ru(), chat_bytes()


def by_day() -> Iterator[Sequence[object]]:
    """What so many chats in a day need after a year, and cost in the month after it."""
    yield (
        "Chats a day",
        "Turns/s",
        "RU/s at the peak",
        "GB",
        "Partitions",
        "RU/s each may use",
        "RU/s of the busiest",
        "RU $",
        "Storage $",
        "Executions $",
        "Compute $",
    )
    dice = random.Random(1)
    for chats in (1_000, 100_000, 1_000_000, 10_000_000):
        turns = chats * TURNS / DAY
        ru = chats * chat_ru() / DAY
        peak = ru * BUSIEST_HOUR * BUSIEST_MOMENT
        bytes_ = 365.0 * chats * chat_bytes()
        physical = partitions(peak, bytes_)
        users = round(chats / CHATS_PER_USER)
        least = LEAST_RU_PER_GB * bytes_ / 1e9
        # What is provisioned is divided evenly.
        share = min(PARTITION_RU, max(peak, least * AUTOSCALE, 1_000) / physical)
        busiest = hottest(users, physical, dice) * peak / physical
        # Autoscale is billed by the hour for the highest moment in it.
        autoscale = max(ru * BUSIEST_MOMENT, least) * RU_HOUR * 24 * DAYS
        serverless = ru * DAY * DAYS * SERVERLESS_RU
        requests = 3 * turns + chats / DAY
        instances = max(1.0, requests * BUSIEST_MOMENT / REQUESTS_PER_INSTANCE)
        yield (
            chats,
            turns,
            peak,
            bytes_ / 1e9,
            physical,
            share,
            busiest,
            min(autoscale, serverless),
            bytes_ / 1e9 * GB_MONTH,
            requests * DAY * DAYS * EXECUTION,
            instances * INSTANCE_SECOND * DAY * DAYS,
        )


def by_user() -> Iterator[Sequence[object]]:
    """When one logical partition is full, and how busy it may be."""
    yield "One partition key", "Chats a day", "20 GB after", "RU/s at the peak, of 10,000"
    for who, chats in (
        ("a user", CHATS_PER_USER),
        ("a busy user", 50.0),
        ("a program", 10_000.0),
        ("the un-keyed scope", 100_000.0),
        ("the un-keyed scope", 1_000_000.0),
    ):
        days = LOGICAL_BYTES / (chats * chat_bytes())
        after = f"{days:,.0f} days" if days < 730 else f"{days / 365:,.0f} years"
        peak = chats * chat_ru() / DAY * BUSIEST_HOUR * BUSIEST_MOMENT
        yield who, chats, after, peak


def table(rows: Iterator[Sequence[object]]) -> str:
    """A Markdown table."""
    header, *lines = [[_cell(value) for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (header, ["---"] * len(header), *lines))


def _cell(value: object) -> str:
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2g}"


if __name__ == "__main__":
    print("\n\n".join(table(rows) for rows in (by_turn(), by_day(), by_user())))  # noqa: T201 - a command's own output

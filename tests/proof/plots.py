"""What befalls the requests of a schedule, and what others do meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.proof.drawn import Draw
from tests.proof.fates import MISREAD, OPEN, REFUSED, REFUSED_AT_ONCE, SLOW, WHOLE, Fate

Point = tuple[str, int]
"""A request about documents: a "write", or a "look", which stores nothing. Both are counted from
the first write on; what is read before it is "before"."""

# What became of the first write, how that is found out, and what the second one meets: a few events
# there tell more than trouble everywhere.
FIRST: Point = ("write", 0)
_SOON: list[Point] = [("look", 0)] * 2 + [("write", 1)] * 3 + [("look", 1)]
_RARELY: list[Point] = [("look", 2), ("look", 3), ("write", 2), ("write", 3), ("before", 0)]
_HAPPENS = (*("call",) * 4, "deliver", "reuse", "sweep", "expire")


@dataclass(frozen=True)
class Plot:
    """What befalls single requests (`fates`) and all the others (`otherwise`).

    `meanwhile`: what happens before which request. `crowded`: many are at the same conversation,
    one of them before every request.
    """

    fates: dict[Point, Fate] = field(default_factory=dict)
    otherwise: Fate = WHOLE
    meanwhile: Sequence[tuple[Point, str]] = ()
    crowded: bool = False

    def fate(self, point: Point) -> Fate:
        """What becomes of a request."""
        fate = self.fates.get(point, self.otherwise)
        return WHOLE if fate.is_of_reads and point[0] == "write" else fate


def _any_of(*kinds: Sequence[Fate]) -> st.SearchStrategy[Fate]:
    """First of which kind, then which: there are many more of some than of others."""
    return st.sampled_from(kinds).flatmap(st.sampled_from)


_fate = _any_of(*(OPEN,) * 3, *(REFUSED,) * 3, MISREAD, SLOW)


def _plots(writes: st.SearchStrategy[Sequence[Fate]]) -> st.SearchStrategy[Plot]:
    """`writes`: the fates of the first writes."""
    return st.builds(
        lambda writes, more, meanwhile, delivered, **rest: Plot(
            {**{("write", number): fate for number, fate in enumerate(writes)}, **dict(more)},
            meanwhile=[*meanwhile, (delivered, "deliver")],
            **rest,
        ),
        writes=writes,
        more=st.lists(st.tuples(st.sampled_from(_SOON + _RARELY), _fate), max_size=1),
        otherwise=st.sampled_from([False] * 9 + [True]).flatmap(
            lambda trouble: _fate if trouble else st.just(WHOLE)
        ),
        meanwhile=st.lists(
            st.tuples(st.sampled_from([*_SOON * 3, *_RARELY, FIRST]), st.sampled_from(_HAPPENS)),
            max_size=3,
        ),
        delivered=st.sampled_from(
            [("look", 0), ("look", 1), ("look", 1), ("write", 1), ("write", 9)]
        ),
        crowded=st.sampled_from([False] * 9 + [True]),
    )


_any_plot = _plots(
    st.tuples(
        _any_of(*(OPEN,) * 6, REFUSED, SLOW, (WHOLE,)),
        _any_of(*(REFUSED,) * 3, *(OPEN,) * 2, *((WHOLE,),) * 3),
    )
)
_plot_of_refusals = _plots(
    st.builds(
        lambda fate, times: [fate] * times,
        _any_of(OPEN, REFUSED, REFUSED_AT_ONCE),
        st.sampled_from([1, 2, 2, 3]),
    )
)


def new_plot(draw: Draw, *, refusals: bool) -> Plot:
    """Draw one; of many and lasting `refusals` if a client is to try again."""
    plot: Plot = draw(_plot_of_refusals if refusals else _any_plot)
    return plot

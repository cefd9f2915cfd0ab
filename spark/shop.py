"""The model of the synthetic shop: what shoppers want, when, and how much is sold.

Products and their calendars (launch, promotions, stock-outs, prices) are small and made at once.
Users, events and sales are made in blocks, each from its own random stream
`[seed, stream, block number]`, so a block is the same wherever and whenever it is computed.

Shoppers. User u looks at product p on day t with probability

    P(p | u, t) = Q[u, p] g[p, t] / sum over all products,
    Q[u, .] = (1 - BROWSING) softmax(affinity[u, .]) + BROWSING softmax(popularity)

where affinity adds the user's taste for the breathing style, for the category, and for what no attribute
tells, the product's popularity, and how well its price suits the user; g is the product's calendar
(season, promotion, launch, stock). Sessions stay mostly within the category of their first product in a
way that keeps P exact for every single view. So P, averaged over the test window, is the best score any
recommender can give: `preference_scores` computes it.

Sales. Units of product p on day t are negative binomial around `expected_units`: level, trend with one
change point, week and year, price elasticity, promotion, ramp after launch; nothing without stock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from catalogue import LEAVES, Product
from names import STYLES

USERS_PER_BLOCK = 100
PRODUCTS_PER_BLOCK = 50

BROWSING = 0.12  # share of views that say nothing about the user: gifts, links, curiosity
IN_CATEGORY = 0.6  # share of a session's later views that stay in its first category
VISITORS = 0.04  # share of sessions that are not signed in
VIEWS_PER_SESSION = 3.2
CART_RATE, BUY_RATE = 0.22, 0.42  # per view, per cart; before price, promotion and stock

_HIDDEN = 8  # dimensions of the hidden taste
_CIRCLES = 18  # groups of users with like tastes
_STREAM_PRODUCTS, _STREAM_USERS, _STREAM_EVENTS, _STREAM_SALES = 2, 3, 4, 5
_NEVER = 2**30
_DAY_US = 86_400_000_000

VIEW, CART, PURCHASE = 0, 1, 2


@dataclass
class Shop:
    """Everything that blocks need to know. Arrays over products are in catalogue order grouped by category:
    position i is product number `number[i]` (from 0). Days count from 0 at `first`."""

    seed: int
    users: int
    days: int
    interactions: int
    first: date
    number: np.ndarray  # catalogue number of each position
    leaf: np.ndarray  # category of each position, ascending
    leaf_end: np.ndarray  # one past the last position of each category
    style: np.ndarray  # breathing style, -1: none
    price: np.ndarray  # regular price at the end, yen
    price_level: np.ndarray  # ln(price) against the whole catalogue, standardised
    popularity: np.ndarray
    hidden: np.ndarray  # [products, _HIDDEN]
    circle_share: np.ndarray  # of each circle of like-minded users
    circle_styles: np.ndarray  # [circles, styles] what its members like
    circle_leaves: np.ndarray  # [circles, categories]
    circle_hidden: np.ndarray  # [circles, _HIDDEN]
    launch: np.ndarray  # day of launch; negative: before the first day
    promo_start: np.ndarray  # [products, windows], _NEVER: none
    promo_end: np.ndarray  # first day after
    promo_depth: np.ndarray  # 0.1: ten percent off
    out_start: np.ndarray  # [products, windows] stock-outs
    out_end: np.ndarray
    repricing_day: np.ndarray  # before this day the regular price was price * old_price
    old_price: np.ndarray
    level: np.ndarray  # units a day on an ordinary day
    elasticity: np.ndarray
    slope: np.ndarray  # ln units per day, before and after the change point
    slope_after: np.ndarray
    change_day: np.ndarray
    weekdays: np.ndarray  # [products, 7] factors, Monday first, mean 1
    dispersion: np.ndarray  # r of the negative binomial

    @property
    def products(self) -> int:
        return len(self.number)

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)

    @property
    def user_blocks(self) -> int:
        return -(-self.users // USERS_PER_BLOCK)

    @property
    def product_blocks(self) -> int:
        return -(-self.products // PRODUCTS_PER_BLOCK)


def make_shop(
    products: list[Product], users: int, days: int, interactions: int, seed: int, last: date
) -> Shop:
    """Draws the latent facts and the calendar of every product."""
    rng = np.random.default_rng([seed, _STREAM_PRODUCTS])
    number = np.array(sorted(range(len(products)), key=lambda i: (products[i].leaf, i)))
    ordered = [products[i] for i in number]
    count = len(ordered)
    leaf = np.array([product.leaf for product in ordered])
    price = np.array([float(product.price) for product in ordered])
    log_price = np.log(price)
    level_spread = log_price.std() or 1.0
    popularity = 0.9 * rng.standard_normal(count)

    fresh = rng.random(count) < 0.15
    launch = np.where(
        fresh, rng.integers(0, max(1, int(0.97 * days)), count), -rng.integers(30, 1100, count)
    ).astype(np.int64)
    promo_start, promo_end, promo_depth = _promotions(rng, count, days, last)
    out_windows = 2 + days // 120
    out_length = rng.integers(2, 16, (count, out_windows))
    out_start = rng.integers(0, max(1, days), (count, out_windows))
    # What sells well runs out more often.
    out_share = np.clip(0.22 + 0.12 * popularity, 0.02, 0.6)[:, None]
    out_start = np.where(rng.random((count, out_windows)) < out_share, out_start, _NEVER)
    repriced = rng.random(count) < 0.4

    per_day = np.array([LEAVES[i].per_day for i in leaf])
    level = 3.4 * per_day * np.exp(0.55 * popularity + 0.6 * rng.standard_normal(count) - 0.3)
    weekdays = np.array([0.86, 0.84, 0.88, 0.94, 1.12, 1.34, 1.12]) * np.exp(
        0.1 * rng.standard_normal((count, 7))
    )
    return Shop(
        seed=seed,
        users=users,
        days=days,
        interactions=interactions,
        first=last - timedelta(days=days - 1),
        number=number,
        leaf=leaf,
        leaf_end=np.searchsorted(leaf, np.arange(len(LEAVES)), side="right"),
        style=np.array([product.style for product in ordered]),
        price=price,
        price_level=(log_price - log_price.mean()) / level_spread,
        popularity=popularity,
        hidden=rng.standard_normal((count, _HIDDEN)),
        circle_share=rng.dirichlet(np.full(_CIRCLES, 3.0)),
        circle_styles=1.3 * rng.standard_normal((_CIRCLES, len(STYLES))),
        circle_leaves=0.9 * rng.standard_normal((_CIRCLES, len(LEAVES))),
        circle_hidden=0.7 * rng.standard_normal((_CIRCLES, _HIDDEN)),
        launch=launch,
        promo_start=promo_start,
        promo_end=promo_end,
        promo_depth=promo_depth,
        out_start=out_start,
        out_end=np.where(out_start < _NEVER, out_start + out_length, _NEVER),
        repricing_day=np.where(repriced, rng.integers(0, max(1, days), count), 0),
        old_price=np.where(repriced, rng.choice([0.9, 0.93, 0.95, 1.04, 1.08], count), 1.0),
        level=level,
        elasticity=rng.uniform(1.0, 2.2, count),
        slope=(0.15 + 0.3 * rng.standard_normal(count)) / 365,
        slope_after=(0.15 + 0.3 * rng.standard_normal(count)) / 365,
        change_day=rng.integers(0, max(1, days), count),
        weekdays=weekdays / weekdays.mean(axis=1, keepdims=True),
        dispersion=rng.uniform(4, 15, count),
    )


def _promotions(rng: np.random.Generator, count: int, days: int, last: date) -> tuple[np.ndarray, ...]:
    """Each product's own promotions, and the shop's three sales a year, in which a third takes part."""
    own = 1 + days // 120
    starts = rng.integers(0, max(1, days), (count, own))
    starts = np.where(rng.random((count, own)) < 0.55, starts, _NEVER)
    lengths = rng.integers(5, 15, (count, own))
    depths = rng.choice([0.1, 0.15, 0.2, 0.3], (count, own), p=[0.4, 0.25, 0.25, 0.1])
    first = last - timedelta(days=days - 1)
    for year in range(first.year, last.year + 1):
        for month, day, length in ((1, 2, 9), (7, 10, 10), (11, 23, 7)):
            start = (date(year, month, day) - first).days
            if start + length <= 0 or start >= days:
                continue
            joins = rng.random(count) < 0.35
            starts = np.column_stack([starts, np.where(joins, start, _NEVER)])
            lengths = np.column_stack([lengths, np.full(count, length)])
            depths = np.column_stack([depths, rng.choice([0.15, 0.2, 0.3], count)])
    return starts, np.where(starts < _NEVER, starts + lengths, _NEVER), depths


# ---------------------------------------------------------------- the calendar


def promotion(shop: Shop, position: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Discount in force (0: none) of products at `position` on `day`, two arrays of one shape."""
    depth = np.zeros(position.shape)
    for window in range(shop.promo_start.shape[1]):
        runs = (shop.promo_start[position, window] <= day) & (day < shop.promo_end[position, window])
        depth = np.where(runs, np.maximum(depth, shop.promo_depth[position, window]), depth)
    return depth


def in_stock(shop: Shop, position: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Whether products at `position` can be bought on `day`."""
    out = np.zeros(position.shape, dtype=bool)
    for window in range(shop.out_start.shape[1]):
        out |= (shop.out_start[position, window] <= day) & (day < shop.out_end[position, window])
    return ~out


def price_on(shop: Shop, position: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Price in yen of products at `position` on `day`, promotions included."""
    regular = shop.price[position] * np.where(
        day < shop.repricing_day[position], shop.old_price[position], 1.0
    )
    return np.round(regular * (1 - promotion(shop, position, day)), -1)


def _day_of_year(shop: Shop, day: np.ndarray) -> np.ndarray:
    return (shop.first.timetuple().tm_yday - 1 + day) % 365.25


_PEAK = np.array([(leaf.season[0] - 0.5) * 365.25 / 12 for leaf in LEAVES])
_HEIGHT = np.array([leaf.season[1] for leaf in LEAVES])


def season(shop: Shop, leaf: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Factor of a category's year: a bump of about two months around its peak."""
    angle = 2 * np.pi * (_day_of_year(shop, day) - _PEAK[leaf]) / 365.25
    return np.exp(_HEIGHT[leaf] * (np.exp(2.0 * (np.cos(angle) - 1)) - 0.31))


def interest(shop: Shop, position: np.ndarray, day: np.ndarray) -> np.ndarray:
    """g of the module's formula: what a product's calendar does to the views of it; 0 before its launch."""
    age = day - shop.launch[position]
    value = season(shop, shop.leaf[position], day)
    value = value * (1 + 2.0 * promotion(shop, position, day))  # at most 1.6
    value = value * (1 + 0.5 * np.exp(-np.maximum(age, 0) / 21))  # new arrivals are shown on the front page
    value = value * np.where(in_stock(shop, position, day), 1.0, 0.4)
    return np.where(age >= 0, value, 0.0)


def _interest_bound(shop: Shop) -> np.ndarray:
    return np.exp(_HEIGHT[shop.leaf] * 0.69) * 1.6 * 1.5


def traffic(shop: Shop) -> np.ndarray:
    """Relative number of sessions on each day: week, year, growth."""
    day = np.arange(shop.days)
    weekday = (shop.first.weekday() + day) % 7
    week = np.array([0.95, 0.9, 0.92, 0.95, 1.0, 1.18, 1.2])[weekday]
    year = 1 + 0.18 * np.cos(2 * np.pi * (_day_of_year(shop, day) - 345) / 365.25)
    return week * year * np.exp(0.2 * day / 365)


# ---------------------------------------------------------------- users


@dataclass
class Users:
    """One block of users."""

    number: np.ndarray  # from 0
    activity: np.ndarray  # relative number of events
    join: np.ndarray  # first day in the shop
    leave: np.ndarray  # first day after the last
    budget: np.ndarray  # on the scale of price_level
    preference: np.ndarray  # Q, [users, products], rows sum to 1
    given: np.ndarray  # positions in the lists of names
    family: np.ndarray


def _softmax(values: np.ndarray) -> np.ndarray:
    values = np.exp(values - values.max(axis=-1, keepdims=True))
    return values / values.sum(axis=-1, keepdims=True)


def make_users(shop: Shop, block: int, with_preference: bool = True) -> Users:
    """The users `block * USERS_PER_BLOCK` and up."""
    rng = np.random.default_rng([shop.seed, _STREAM_USERS, block])
    start = block * USERS_PER_BLOCK
    number = np.arange(start, min(start + USERS_PER_BLOCK, shop.users))
    count = len(number)
    activity = np.exp(1.1 * rng.standard_normal(count))
    join = np.where(rng.random(count) < 0.7, 0, rng.integers(0, shop.days, count))
    churned = rng.random(count) < 0.12
    leave = np.where(churned, join + 1 + (rng.random(count) * (shop.days - join)).astype(int), shop.days)
    budget = 0.9 * rng.standard_normal(count)
    given, family = rng.random(count), rng.random(count)
    preference = np.empty((0, 0))
    if with_preference:
        # Most of a taste is shared with one's circle, with some of a second one, and the rest is one's own.
        first, second = rng.choice(_CIRCLES, size=(2, count), p=shop.circle_share)
        mix = rng.uniform(0.6, 1.0, (count, 1))

        def taste(of_circles: np.ndarray, own: float) -> np.ndarray:
            shared = mix * of_circles[first] + (1 - mix) * of_circles[second]
            return shared + own * rng.standard_normal(shared.shape)

        styles = np.column_stack([taste(shop.circle_styles, 0.4), np.zeros(count)])
        leaves = taste(shop.circle_leaves, 0.3)
        hidden = taste(shop.circle_hidden, 0.2)
        # A product of no style has column -1, the zeros.
        affinity = styles[:, shop.style] + leaves[:, shop.leaf] + hidden @ shop.hidden.T
        affinity -= 0.35 * (shop.price_level[None, :] - budget[:, None]) ** 2
        affinity += 0.6 * shop.popularity
        preference = (1 - BROWSING) * _softmax(affinity) + BROWSING * _softmax(shop.popularity)
    return Users(number, activity, join, np.maximum(leave, join + 1), budget, preference, given, family)


def preference_scores(shop: Shop, users: Users, window: int) -> np.ndarray:
    """P(p | u), [users, products], averaged over the last `window` days by their traffic; rows sum to 1."""
    days = np.arange(shop.days - window, shop.days)
    position, day = np.meshgrid(np.arange(shop.products), days, indexing="ij")
    calendar = interest(shop, position, day)
    share = traffic(shop)[days]
    total = np.maximum(users.preference @ calendar, 1e-300)
    return users.preference * ((share / share.sum() / total) @ calendar.T)


# ---------------------------------------------------------------- events


@dataclass
class Events:
    """Events of one block, in no order. Times are microseconds since 1970, UTC."""

    user: np.ndarray  # user number; -1: a visitor
    position: np.ndarray
    kind: np.ndarray  # VIEW, CART, PURCHASE
    quantity: np.ndarray
    price: np.ndarray
    time: np.ndarray
    recorded: np.ndarray  # day (from 0) on which the shop recorded it
    sequence: np.ndarray  # with the block number: the event's identity; repeated for a repeated delivery


def make_events(shop: Shop, users: Users, block: int) -> Events:
    """The block's share of all interactions, plus a little of the dirt real logs have: about 2 in 1,000
    events arrive twice, 1 in 10,000 has a clock in the future, and 1 in 10,000 arrives months late."""
    rng = np.random.default_rng([shop.seed, _STREAM_EVENTS, block])
    wanted = _events_per_user(shop, users, rng)
    who, views_of_session = _sessions(wanted, rng)
    cumulated = np.concatenate([[0.0], np.cumsum(traffic(shop))])
    low, high = cumulated[users.join[who]], cumulated[users.leave[who]]
    session_day = np.searchsorted(cumulated, low + rng.random(len(who)) * (high - low), side="right") - 1
    session_day = np.clip(session_day, 0, shop.days - 1)
    visitor = rng.random(len(who)) < VISITORS

    sampler = _Sampler(shop, users.preference)
    everything = np.zeros(len(who), dtype=int), np.full(len(who), shop.products)
    anchor = sampler.draw(rng, who, session_day, *everything)
    session = np.repeat(np.arange(len(who)), views_of_session)
    order = np.arange(len(session)) - np.repeat(
        np.cumsum(views_of_session) - views_of_session, views_of_session
    )
    leaf = shop.leaf[anchor[session]]
    stays = rng.random(len(session)) < IN_CATEGORY
    low = np.where(stays, np.where(leaf > 0, shop.leaf_end[leaf - 1], 0), 0)
    high = np.where(stays, shop.leaf_end[leaf], shop.products)
    viewed = sampler.draw(rng, who[session], session_day[session], low, high)
    viewed = np.where(order == 0, anchor[session], viewed)

    day = session_day[session]
    gap = rng.exponential(45, len(session))
    walked = np.cumsum(gap)
    walked -= np.repeat(walked[order == 0], views_of_session)
    second = _second_of_day(rng, len(who))[session] + walked

    discount = promotion(shop, viewed, day)
    available = in_stock(shop, viewed, day)
    stretch = shop.price_level[viewed] - users.budget[who[session]]
    cart = CART_RATE * np.exp(-0.25 * np.clip(stretch, -2, 2)) * (1 + 1.5 * discount) * available
    carted = rng.random(len(session)) < np.minimum(cart, 0.9)
    bought = carted & (rng.random(len(session)) < BUY_RATE)
    several = np.where(shop.price[viewed] < 3000, 0.35, 0.03)
    pieces = 1 + rng.poisson(several)

    # View, cart and purchase of one look stand together: a cut never leaves a purchase without its cart.
    steps = 1 + carted + bought
    look = np.repeat(np.arange(len(session)), steps)
    kind = np.arange(len(look)) - np.repeat(np.cumsum(steps) - steps, steps)
    time = (
        second[look] + np.where(kind == 1, 20, 0) + np.where(kind == 2, 140, 0) + rng.random(len(look)) * 20
    )
    kept = _first_of_each(who[session][look], wanted)
    look, kind, time = look[kept], kind[kept], time[kept]
    count = len(look)

    epoch_day = (shop.first - date(1970, 1, 1)).days
    ends = shop.days * 86400 - 1
    seconds = np.minimum(day[look] * 86400 + time, ends - rng.random(count))
    events = Events(
        user=np.where(visitor[session][look], -1, users.number[who[session][look]]),
        position=viewed[look],
        kind=kind,
        quantity=np.where(kind == VIEW, 1, pieces[look]),
        price=price_on(shop, viewed[look], day[look]),
        time=epoch_day * _DAY_US + (seconds * 1_000).astype(np.int64) * 1_000,
        recorded=(seconds // 86400).astype(np.int64),
        sequence=np.arange(count),
    )
    return _with_dirt(events, rng)


def _events_per_user(shop: Shop, users: Users, rng: np.random.Generator) -> np.ndarray:
    # Every block gets the same number for each of its users, so that the total is exact without any block
    # knowing the others; within the block activity decides.
    first, last = int(users.number[0]), int(users.number[-1]) + 1
    total = shop.interactions * last // shop.users - shop.interactions * first // shop.users
    present = (users.leave - users.join) / shop.days
    weight = users.activity * np.sqrt(present)
    return rng.multinomial(total, weight / weight.sum())


def _sessions(wanted: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Users (position in the block) and numbers of views of enough sessions to give `wanted` events each."""
    # Every view is at least one event, so as many views as events are always enough.
    many = int(np.ceil(wanted.max() / VIEWS_PER_SESSION * 1.25)) + 12
    views = rng.geometric(1 / VIEWS_PER_SESSION, (len(wanted), many))
    before = np.cumsum(views, axis=1) - views
    needed = before < wanted[:, None]
    # The rare user whose sessions are all short gets the rest in the last one.
    short = np.maximum(0, wanted - views.sum(axis=1))
    views[:, -1] += short
    who, which = np.nonzero(needed)
    return who, views[who, which]


def _first_of_each(user: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Mask of the first wanted[u] rows of every user; rows of a user stand together."""
    counts = np.bincount(user, minlength=len(wanted))
    starts = np.cumsum(counts) - counts
    return np.arange(len(user)) - starts[user] < wanted[user]


_HOURS = np.array(
    [4, 2, 1, 1, 1, 2, 4, 7, 9, 10, 11, 13, 16, 13, 11, 11, 12, 14, 17, 20, 23, 24, 18, 9], dtype=float
)


def _second_of_day(rng: np.random.Generator, count: int) -> np.ndarray:
    hour = rng.choice(24, size=count, p=_HOURS / _HOURS.sum())
    return hour * 3600 + rng.random(count) * 3600


def _with_dirt(events: Events, rng: np.random.Generator) -> Events:
    count = len(events.user)
    draw = rng.random(count)
    twice = np.flatnonzero(draw < 0.002)
    ahead = np.flatnonzero((draw >= 0.002) & (draw < 0.0021))
    late = np.flatnonzero((draw >= 0.0021) & (draw < 0.0022))
    extra = np.concatenate([twice, ahead, late])
    shift = np.concatenate(
        [np.zeros(len(twice), int), rng.integers(400, 800, len(ahead)), -rng.integers(40, 90, len(late))]
    )
    fresh = np.concatenate([np.zeros(len(twice), bool), np.ones(len(ahead) + len(late), bool)])
    columns = {name: np.concatenate([column, column[extra]]) for name, column in vars(events).items()}
    columns["time"][count:] += shift * _DAY_US
    columns["sequence"][count:] = np.where(fresh, count + np.arange(len(extra)), columns["sequence"][count:])
    return Events(**columns)


class _Sampler:
    """Draws products from P(. | u, t) of the module's formula, exactly, by rejection: proposals follow
    Q * bound and are accepted with probability g / bound. A draw costs O(log(users * products))."""

    _ROUNDS = 60

    def __init__(self, shop: Shop, preference: np.ndarray) -> None:
        self.shop = shop
        self.bound = _interest_bound(shop)
        mass = np.cumsum(preference * self.bound, axis=1)
        # All users in one ascending array: user u's distribution runs from u to u + 1.
        self.flat = (mass / mass[:, -1:] + np.arange(len(mass))[:, None]).ravel()

    def draw(
        self, rng: np.random.Generator, user: np.ndarray, day: np.ndarray, low: np.ndarray, high: np.ndarray
    ) -> np.ndarray:
        """One position in low[i] .. high[i] - 1 for every user[i] on day[i]."""
        products = self.shop.products
        base = user * products
        start = np.where(low > 0, self.flat[base + low - 1], user)
        width = self.flat[base + high - 1] - start
        chosen = np.empty(len(user), dtype=np.int64)
        pending = np.arange(len(user))
        for _ in range(self._ROUNDS):
            if not len(pending):
                return chosen
            at = start[pending] + rng.random(len(pending)) * width[pending]
            position = np.searchsorted(self.flat, at, side="right") - base[pending]
            position = np.clip(position, low[pending], high[pending] - 1)
            chosen[pending] = position
            ratio = interest(self.shop, position, day[pending]) / self.bound[position]
            pending = pending[rng.random(len(pending)) >= ratio]
        # Hopeless cases (a tiny shop before its first launch): leave out what is not launched if we can.
        launched = np.argmin(self.shop.launch)
        early = self.shop.launch[chosen[pending]] > day[pending]
        chosen[pending[early]] = launched
        return chosen


# ---------------------------------------------------------------- sales


def expected_units(shop: Shop, position: np.ndarray) -> np.ndarray:
    """True mean of units sold, [products at `position`, days]; 0 without stock and before the launch."""
    days = np.arange(shop.days)
    where, day = np.meshgrid(position, days, indexing="ij")
    weekday = (shop.first.weekday() + days) % 7
    change = shop.change_day[where]
    trend = shop.slope[where] * (np.minimum(day, change) - change)
    trend = trend + shop.slope_after[where] * np.maximum(day - change, 0)
    age = day - shop.launch[where]
    ramp = 1 - 0.85 * np.exp(-np.maximum(age, 0) / 18)
    mean = shop.level[where] * np.exp(trend) * ramp
    mean = mean * shop.weekdays[position][:, weekday] * season(shop, shop.leaf[where], day) ** 1.1
    cheaper = price_on(shop, where, day) / shop.price[where]
    mean = mean * cheaper ** -shop.elasticity[where]
    mean = mean * np.where(promotion(shop, where, day) > 0, 1.2, 1.0)
    return np.where((age >= 0) & in_stock(shop, where, day), mean, 0.0)


def draw_units(shop: Shop, block: int, position: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Units sold: negative binomial with variance mean + mean^2 / dispersion."""
    rng = np.random.default_rng([shop.seed, _STREAM_SALES, block])
    shape = shop.dispersion[position][:, None]
    return rng.poisson(rng.gamma(shape, mean / shape)).astype(float)

"""A tab without a browser: which changes are drawn, and what is said of those that cannot be."""

import asyncio
import threading
from types import SimpleNamespace

import numpy as np

from genjax.errors import InputError
from genjax.exploration.page.codes import colors
from genjax.exploration.page.tab import Tab
from genjax.exploration.request import Request


def drawn(act) -> tuple[list[int], list[str]]:
    """The seeds that are drawn while `act` changes a tab, and what it says. An image waits until `act` lets it go."""
    seeds, messages, go = [], [], threading.Semaphore(0)

    def image(request):
        go.acquire()
        if request.seeds == (13,):
            raise InputError("no such seed")
        return np.zeros((2, 2, 1), np.uint8)

    async def session():
        explorer = SimpleNamespace(image=image, workdir=SimpleNamespace(name="run"))
        tab = Tab(None, asyncio.to_thread, explorer, threading.Lock(), Request(seeds=(0,)), None)
        tab.show = lambda request, png: seeds.append(request.seeds[0])
        tab.tell = lambda text: messages.append(text) if text else None
        await act(tab, go.release)
        for _ in range(10):
            go.release()
        while tab._drawing:
            await asyncio.sleep(0.001)

    asyncio.run(session())
    return seeds, messages


def test_of_changes_that_come_while_an_image_is_made_the_last_is_drawn():
    async def act(tab, go):
        for seed in (1, 2, 3, 4):
            tab.change(seeds=(seed,))
            await asyncio.sleep(0.01)

    assert drawn(act) == ([1, 4], [])


def test_each_of_changes_that_come_apart_is_drawn():
    async def act(tab, go):
        for seed in (1, 2, 3):
            tab.change(seeds=(seed,))
            go()
            while tab._drawing:
                await asyncio.sleep(0.001)

    assert drawn(act) == ([1, 2, 3], [])


def test_what_cannot_be_made_is_said_and_the_next_is_drawn():
    async def act(tab, go):
        tab.change(seeds=(13,))
        await asyncio.sleep(0.01)
        tab.change(seeds=(1, 2, 3))  # no such request
        tab.change(seeds=(5,))

    seeds, messages = drawn(act)
    assert seeds == [5]
    assert messages[0].startswith("--seeds: 3 starts")
    assert messages[1] == "no such seed"


def test_calls_that_come_together_are_awaited_once():
    async def act(tab, go):
        calls = []

        async def follow():
            calls.append(tab.request)

        for _ in range(3):
            tab.soon(follow)
        await asyncio.sleep(0.05)
        assert len(calls) == 1
        tab.soon(follow)
        await asyncio.sleep(0.05)
        assert len(calls) == 2

    drawn(act)


def test_successive_codes_differ_in_color():
    table = colors(np.arange(64)[None], 64)[0].astype(int)
    assert len(np.unique(table, axis=0)) == 64
    assert (np.abs(np.diff(table, axis=0)).max(1) > 40).all()

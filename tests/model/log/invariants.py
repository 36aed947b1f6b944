"""What must hold after every step (A to D of LOG.md), and what must come of every state when the trouble ends (E).

F is not in LOG.md: at rest nobody was told more than there is, or what comes next would not be pushed.
"""

from tests.model.log import client
from tests.model.log.client import Device
from tests.model.log.database import GROUP, JOINS, OWN, Life, Place, view
from tests.model.log.server import Frame
from tests.model.log.world import BrokenError, State, World, with_device, with_process


def check(before: State, after: State) -> None:
    for frame in after.frames - before.frames:
        check_frame(after.lives[frame.epoch], frame)
    for old, device in zip(before.devices, after.devices, strict=True):
        if device is not old or after.lives is not before.lives:
            check_answer(after, old, device)
            check_device(after, old, device)


def check_frame(life: Life, frame: Frame) -> None:
    seen = view(life.rows)
    last = frame.seq - 1 if frame.row is not None else frame.seq
    hidden = [seq for seq in seen if frame.prev < seq <= last]
    if frame.row is not None and (frame.seq > life.head or life.rows[frame.seq - 1] != frame.row):
        raise BrokenError(f"D: {frame} was pushed and is not in the log of its epoch")
    if frame.row is not None and frame.seq not in seen:
        raise BrokenError(f"D: {frame} was pushed and is not visible")
    if hidden:
        raise BrokenError(f"A: {frame} hides {hidden}")


def check_answer(state: State, old: Device, device: Device) -> None:
    """A reset where nothing is missing would make people look for what was never there."""
    answer = device.answer
    if answer is None or answer is old.answer or not answer.reset or device.log.asks is None:
        return
    epoch, after = device.log.asks
    rows, removed = state.now.life.rows, state.now.life.removed
    channels = {OWN, *(GROUP for row in rows if row.means == JOINS)}
    missing = any(seq > after and rows[seq - 1].channel in channels for seq in removed)
    if epoch == str(state.now.epoch) and after <= state.now.life.head and not missing:
        raise BrokenError(f"B: {answer} resets, and nothing of the view was removed")


def check_device(state: State, old: Device, device: Device) -> None:
    kept, cursor = device.kept, device.log.cursor
    if kept.epoch is None:
        return
    life = state.lives[kept.epoch]
    same = old.kept.epoch == kept.epoch and old.kept.stores == kept.stores
    if same and kept.cursor < old.kept.cursor:
        raise BrokenError(f"C: the kept cursor went back from {old.kept.cursor} to {kept.cursor}")
    if not kept.cursor <= cursor <= life.head or device.log.beyond > life.head:
        raise BrokenError(f"C: cursor {cursor}, kept {kept.cursor}, heard of {device.log.beyond}, head {life.head}")
    check_rows(life, device)


def check_rows(life: Life, device: Device) -> None:
    rows, cursor = device.kept.rows, device.log.cursor
    stored = [seq for seq, _ in rows]
    due = [seq for seq in view(life.rows) if seq <= cursor]
    if stored != due and sorted({*stored}) != stored:
        raise BrokenError(f"B: rows {stored} were stored in this order")
    if not {*stored} <= {*due} or any(life.rows[seq - 1] != row for seq, row in rows):
        raise BrokenError(f"B: rows {stored} are not those {due} of the view up to {cursor}")
    if lost := {*due} - {*stored} - device.kept.excused:
        raise BrokenError(f"B: at {cursor} it silently lacks {sorted(lost)}, it has {stored}")


def settle(world: World, state: State) -> None:
    """E: nothing that was pushed comes any more; one `head` and few answers must lead to the end."""
    state = state._replace(frames=frozenset(), late=())
    for number in range(len(state.processes)):
        state = feed(world, state, number)
    for which, device in enumerate(state.devices):
        if not device.is_online:
            state = world.connected(world.authenticated(state, which, 0), which)
    for which in range(len(state.devices)):
        state = say_head(world, state, which)
    for which in range(len(state.devices)):
        state = catch_up(world, state, which)
        at_rest(world, state, state.devices[which])


def feed(world: World, state: State, number: int) -> State:
    process = state.processes[number]
    while True:
        while process.queue:
            process, frames = world.passed(process)
            for frame in frames:
                check_frame(state.lives[frame.epoch], frame)
        if (looked := world.looked(process, state.now)) is None:
            if world.is_prompt and (process.told or 0) > state.now.life.head:
                raise BrokenError(f"F: told {process.told} of {state.now.life.head}")
            return with_process(state, number, process)
        process = looked


def say_head(world: World, state: State, which: int) -> State:
    device = state.devices[which]
    assert device.process is not None
    process, frame = world.say_head(state.processes[device.process])
    check_frame(state.lives[frame.epoch], frame)
    state = with_process(state, device.process, process)
    for other, found in enumerate(state.devices):
        if found.process == device.process:
            state = step(state, other, client.pushed(world.log, found, frame))
    return state


def catch_up(world: World, state: State, which: int) -> State:
    for _ in range(2 * state.now.life.head + 6):
        device = state.devices[which]
        if device.answer is not None:
            state = step(state, which, client.answered(world.log, device, device.answer))
        elif device.log.asks is not None:
            state = step(state, which, device._replace(answer=world.asked(state, device)))
        elif device.log.waits:
            state = step(state, which, client.ticked(world.log, device))
        else:
            return state
    raise BrokenError(f"E: asks for ever, and stands at {state.devices[which].log.cursor} of {state.now.life.head}")


def step(state: State, which: int, device: Device) -> State:
    after = with_device(state, which, device)
    check(state, after)
    return after


def at_rest(world: World, state: State, device: Device) -> None:
    life = state.now.life
    last = max((seq for seq in view(life.rows) if life.there(seq)), default=0)
    place = Place(int(device.log.epoch or 0), device.log.cursor)
    if place.epoch != state.now.epoch or place.seq < last or not client.caught_up(world.log, device):
        raise BrokenError(f"E: rests at {place}, and the view ends at {state.now.epoch}.{last}")

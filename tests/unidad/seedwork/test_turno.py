"""El turno: quien trabaja mucho rato deja correr a los demás, y quien poco, no pierde tiempo en ello."""

import asyncio
from itertools import count

import pytest

from alpespartners.seedwork import turno


@pytest.mark.parametrize(("segundos_por_paso", "corre"), [(turno.SEGUNDOS_DE_UN_TURNO, True), (0.0, False)])
async def test_los_demas_corren_cuando_ya_se_ocupo_bastante(
    monkeypatch: pytest.MonkeyPatch, segundos_por_paso: float, *, corre: bool
) -> None:
    horas = count(0, segundos_por_paso) if segundos_por_paso else iter([0.0] * 10)
    monkeypatch.setattr(turno, "monotonic", lambda: next(horas))
    otra = asyncio.create_task(asyncio.sleep(0))
    suyo = turno.Turno()
    for _ in range(3):
        await suyo.ceder()
    assert otra.done() is corre
    await otra

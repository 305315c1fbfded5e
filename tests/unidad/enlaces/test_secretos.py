"""Con qué se firma y con qué se comprueba, según los ajustes y lo que guarda la base de datos."""

import asyncio
from typing import cast
from uuid import UUID

import pytest

from alpespartners.composicion.adaptadores import secretos_de_enlaces
from alpespartners.config import Configuracion
from alpespartners.modulos.enlaces.aplicacion.secretos import Secretos
from alpespartners.modulos.enlaces.dominio.clic import Legitimo, acuñar, comprobar
from alpespartners.modulos.enlaces.dominio.secreto import Secreto
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import LecturasDelLibro

_UUID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


class _Guardado:
    """La base de datos: lo que guarda, o `None` si no responde, y cuántas veces se le preguntó."""

    def __init__(self, secreto: bytes | None = b"el que se hizo al azar") -> None:
        self.secreto = secreto
        self.veces = 0

    async def leer(self) -> bytes | None:
        self.veces += 1
        return self.secreto


async def test_el_dia_que_se_pone_uno_los_clics_de_antes_siguen_siendo_de_este_servicio() -> None:
    guardado = _Guardado()
    (al_azar,) = await Secretos([], guardado.leer).todos()
    antes = acuñar("juan", al_azar, _UUID)
    secretos = await Secretos(["el que se pone ahora"], guardado.leer).todos()
    ahora = acuñar("juan", secretos[0], _UUID)
    assert secretos[0] != al_azar
    assert [type(comprobar(clic, secretos)) for clic in (antes, ahora)] == [Legitimo, Legitimo]


async def test_sin_base_de_datos_se_firma_con_el_de_los_ajustes_y_despues_se_pregunta_otra_vez() -> None:
    guardado = _Guardado(None)
    secretos = Secretos(["el de los ajustes"], guardado.leer)
    assert len(await secretos.todos()) == 1
    guardado.secreto = b"el que se hizo al azar"
    assert len(await secretos.todos()) == 2


async def test_el_guardado_se_lee_una_vez() -> None:
    guardado = _Guardado()
    secretos = Secretos([], guardado.leer)
    assert [len(await secretos.todos()) for _ in range(3)] == [1, 1, 1]
    assert guardado.veces == 1


class _Lecturas:
    """El libro, que guarda un secreto o no responde."""

    def __init__(self, *, responde: bool = True) -> None:
        self.responde = responde

    async def en_transaccion(self, _leer: object) -> bytes:
        if not self.responde:
            raise BaseDatosNoDisponible
        return b"el que se hizo al azar"


def _del_servicio(*escritos: str, responde: bool = True) -> Secretos:
    lecturas = cast("LecturasDelLibro", _Lecturas(responde=responde))
    return secretos_de_enlaces(Configuracion(secreto_de_enlaces=escritos), lecturas)


@pytest.mark.parametrize(
    ("escritos", "cuantos"),
    [((), 1), (("el de los ajustes",), 2), (("el de los ajustes", "sin_guardado"), 1)],
)
async def test_con_sin_guardado_detras_no_se_fia_del_de_la_base_de_datos(
    escritos: tuple[str, ...], cuantos: int
) -> None:
    assert len(await _del_servicio(*escritos).todos()) == cuantos


async def test_sin_base_de_datos_hay_con_que_firmar_solo_si_lo_dicen_los_ajustes() -> None:
    assert len(await _del_servicio("el de los ajustes", responde=False).todos()) == 1
    with pytest.raises(BaseDatosNoDisponible):
        await _del_servicio(responde=False).todos()


class _BaseQueTarda:
    """Una base de datos que responde, o falla, cuando la prueba quiere."""

    def __init__(self) -> None:
        self.lecturas: list[asyncio.Future[bytes]] = []

    async def leer(self) -> bytes:
        self.lecturas.append(asyncio.get_running_loop().create_future())
        return await self.lecturas[-1]


async def test_quienes_preguntan_a_la_vez_esperan_a_una_sola_lectura_y_no_se_lee_mas() -> None:
    base = _BaseQueTarda()
    secretos = Secretos((), base.leer)
    preguntas = [asyncio.ensure_future(secretos.todos()) for _ in range(5)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # Quien se va no deja sin ella a los demás.
    preguntas.pop(0).cancel()
    (lectura,) = base.lecturas
    lectura.set_result(b"guardado")
    assert await asyncio.gather(*preguntas) == [(Secreto(b"guardado"),)] * 4
    assert await secretos.todos() == (Secreto(b"guardado"),)
    assert len(base.lecturas) == 1


async def test_si_no_se_puede_leer_lo_saben_todos_y_se_vuelve_a_intentar() -> None:
    base = _BaseQueTarda()
    secretos = Secretos((), base.leer)
    preguntas = [asyncio.ensure_future(secretos.todos()) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    base.lecturas[0].set_exception(BaseDatosNoDisponible())
    fallos = await asyncio.gather(*preguntas, return_exceptions=True)
    assert [type(fallo) for fallo in fallos] == [BaseDatosNoDisponible] * 2
    otra = asyncio.ensure_future(secretos.todos())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    base.lecturas[1].set_result(b"guardado")
    assert await otra == (Secreto(b"guardado"),)

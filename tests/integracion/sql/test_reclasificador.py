"""Leer otra vez lo registrado, sobre los dos motores: qué cambia, qué se escribe y qué queda como estaba."""

import asyncio
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import text

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible, Lector
from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.lectura import NO_EVALUADA, Lectura
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos, Libro, Reparaciones
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from alpespartners.modulos.tracking.infraestructura.operacion import recorrido
from alpespartners.modulos.tracking.infraestructura.operacion.reclasificador import (
    Reclasificado,
    reclasificar,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.postgresql import ServidorDePrueba
from tests.apoyo.procedencias import LectorDePrueba

ROBOT = "robot/1"


@dataclass
class Caso:
    """Una base de datos con un consumidor abierto, y con qué se lee otra vez."""

    libro: Libro
    reparaciones: Reparaciones

    def registrar(
        self, *comandos: RegistrarImpresion | RegistrarConversion, lector: Lector | None = None
    ) -> None:
        for clase in CLASES:
            lote = [recibido(c, f"de-{c.id}") for c in comandos if isinstance(c, clase.comando)]
            manejador = ManejadorDeRegistro(clase, lector)
            asyncio.run(self.libro.ejecutar(lambda t, m=manejador, lote=lote: m.manejar(lote, t, AHORA)))  # type: ignore[misc]

    def reclasificar(
        self, lector: Lector, *, campaña_id: str | None = None, escribir: bool = True
    ) -> Reclasificado:
        return reclasificar(
            self.reparaciones,
            lector,
            campaña_id=campaña_id,
            escribir=escribir,
            avanza=lambda _que, _cuantos: None,
        )

    def lecturas(self) -> dict[str, Lectura | None]:
        return self.reparaciones.leer_libro(
            lambda conexion: {
                evento.id: evento.lectura
                for clase in CLASES
                for evento in RepositorioEventosSQL(conexion, clase).por_id(None, 1_000)
            }
        )


@pytest.fixture(params=["sqlite", "postgresql"])
def caso(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Caso]:
    if request.param == "sqlite":
        base: BaseDatos = BaseDatosSQLite(tmp_path, CUENTAS)
    else:
        servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
        base = BaseDatosPostgreSQL(servidor.base_nueva(), CUENTAS)
    libro, reparaciones = base.libro(), base.reparaciones()
    libro.abrir()
    yield Caso(libro, reparaciones)
    reparaciones.cerrar()
    libro.cerrar()


def vistas(cuantas: int, *, campaña_id: str = "c-1", agente: str = ROBOT) -> Sequence[RegistrarImpresion]:
    return [
        replace(IMPRESION, id=f"{campaña_id}-{agente}-{n}", campaña_id=campaña_id, user_agent=agente)
        for n in range(cuantas)
    ]


def test_lo_que_hoy_se_lee_de_otra_manera_se_dice_y_se_escribe(
    caso: Caso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorrido, "PAGINA", 2)
    caso.registrar(*vistas(5), *vistas(2, agente="persona"), CONVERSION, lector=LectorDePrueba("1"))
    de_hoy = LectorDePrueba("2", robots={ROBOT})

    comparado = caso.reclasificar(de_hoy, escribir=False)
    assert {lectura and lectura.reglas for lectura in caso.lecturas().values()} == {"1"}
    escrito = caso.reclasificar(de_hoy)
    assert (comparado.mirados, comparado.distintos, comparado.escritos) == (8, 5, 0)
    assert (escrito.mirados, escrito.distintos, escrito.escritos) == (8, 5, 8)
    assert (
        escrito.cambios
        == comparado.cambios
        == {("bot", False, True): 5, ("señales", (), ("agente_de_robot",)): 5}
    )
    lecturas = caso.lecturas()
    assert {lectura and lectura.reglas for lectura in lecturas.values()} == {"2"}
    assert sum(lectura is not None and lectura.bot for lectura in lecturas.values()) == 5
    assert caso.reclasificar(de_hoy) == Reclasificado(mirados=8)


def test_lo_registrado_antes_de_que_se_leyera_se_lee(caso: Caso) -> None:
    caso.registrar(*vistas(1))
    hecho = caso.reclasificar(LectorDePrueba("2"))
    assert (hecho.distintos, hecho.escritos) == (1, 1)
    assert caso.lecturas() == {f"c-1-{ROBOT}-0": Lectura(reglas="2", navegador=ROBOT)}


def test_las_señales_que_se_recibieron_no_se_olvidan(caso: Caso) -> None:
    caso.registrar(replace(IMPRESION, señales=("visita_repetida",)), lector=LectorDePrueba("1"))
    caso.reclasificar(LectorDePrueba("2"))
    (lectura,) = caso.lecturas().values()
    assert lectura is not None
    assert (lectura.reglas, lectura.recibidas) == ("2", ("visita_repetida",))


def test_de_una_campaña_no_se_toca_otra(caso: Caso, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorrido, "PAGINA", 2)
    caso.registrar(*vistas(5), *vistas(3, campaña_id="c-2"), lector=LectorDePrueba("1"))
    hecho = caso.reclasificar(LectorDePrueba("2", robots={ROBOT}), campaña_id="c-1")
    assert (hecho.mirados, hecho.escritos) == (5, 5)
    reglas = [lectura.reglas for lectura in caso.lecturas().values() if lectura is not None]
    assert sorted(reglas) == ["1"] * 3 + ["2"] * 5


class _NoPuede:
    def leer(self, _contenido: Contenido, señales: Sequence[str]) -> Lectura:
        return Lectura(reglas="2", señales=(NO_EVALUADA,), recibidas=tuple(señales))


def test_lo_que_hoy_no_se_puede_leer_entero_queda_como_estaba(caso: Caso) -> None:
    caso.registrar(*vistas(2), lector=LectorDePrueba("1"))
    hecho = caso.reclasificar(_NoPuede())
    assert hecho == Reclasificado(mirados=2, sin_evaluar=2)
    assert {lectura and lectura.reglas for lectura in caso.lecturas().values()} == {"1"}


def test_una_lectura_que_otra_mano_dejo_ilegible_se_nombra(caso: Caso) -> None:
    caso.registrar(*vistas(1))
    caso.reparaciones.escribir(
        lambda conexion: conexion.execute(text("UPDATE impresiones SET lectura = '{'"))
    )
    with pytest.raises(FilaIlegible, match=r"lectura = '\{'"):
        caso.reclasificar(LectorDePrueba("2"))

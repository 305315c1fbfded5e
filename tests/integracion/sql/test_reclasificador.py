"""Leer otra vez lo registrado, sobre los dos motores: qué cambia, qué se escribe y qué queda como estaba."""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text

from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.modulos.informes.infraestructura.proyeccion import CuentasSQL
from alpespartners.modulos.informes.infraestructura.recuento import (
    FRAGMENTO_DE_CORRECCIONES,
    Recontado,
    Recuento,
)
from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.aplicacion.clases import CLASES
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import FilaIlegible, Lector
from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.eventos import EventoDominio
from alpespartners.modulos.tracking.dominio.lectura import NO_EVALUADA, Lectura
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos, Libro, Reparaciones
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from alpespartners.modulos.tracking.infraestructura.operacion import recorrido
from alpespartners.modulos.tracking.infraestructura.operacion.reclasificador import (
    Reclasificado,
    reclasificar,
)
from alpespartners.modulos.tracking.infraestructura.repositorios import Proyectar, RepositorioEventosSQL
from tests.apoyo.cuentas import cuentas_guardadas, usuarios_guardados
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.postgresql import ServidorDePrueba
from tests.apoyo.procedencias import LECTURA, LectorDePrueba

ROBOT = "robot/1"
OTRO = Lectura(reglas="2", navegador="otro")


class _PorNavegador(CuentasSQL):
    """Las cuentas, con el navegador de la lectura en lugar del influencer: así dependen de ella."""

    def aplicar(self, eventos: Sequence[EventoDominio[Any]]) -> None:
        super().aplicar([_por_navegador(evento) for evento in eventos])

    def cambiar(self, antes: Sequence[EventoDominio[Any]], ahora: Sequence[EventoDominio[Any]]) -> None:
        super().cambiar([*map(_por_navegador, antes)], [*map(_por_navegador, ahora)])


def _por_navegador(evento: EventoDominio[Any]) -> EventoDominio[Any]:
    entidad = evento.entidad
    navegador = entidad.lectura and entidad.lectura.navegador
    return type(evento)(replace(entidad, contenido=replace(entidad.contenido, influencer_id=navegador)))


POR_NAVEGADOR = Proyectar(METADATOS, _PorNavegador)


@dataclass
class Caso:
    """Una base de datos con un consumidor abierto, y con qué se lee otra vez."""

    base: BaseDatos
    proyectar: Proyectar
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
        self,
        lector: Lector,
        *,
        campaña_id: str | None = None,
        escribir: bool = True,
        reparaciones: Reparaciones | None = None,
    ) -> Reclasificado:
        return reclasificar(
            reparaciones or self.reparaciones,
            lector,
            lambda conexion: self.proyectar.en(conexion, FRAGMENTO_DE_CORRECCIONES),
            campaña_id=campaña_id,
            escribir=escribir,
            avanza=lambda _que, _cuantos: None,
        )

    def por_navegador(self) -> dict[str, int]:
        """Cuántos eventos cuentan las cuentas de cada navegador."""
        guardadas = self.reparaciones.leer_libro(cuentas_guardadas)["cuentas_por_influencer"]
        cuantos: Counter[str] = Counter()
        for clave, (suyos, _) in guardadas.items():
            cuantos[str(clave[2])] += suyos
        return dict(cuantos)

    def lecturas(self) -> dict[str, Lectura | None]:
        return self.reparaciones.leer_libro(
            lambda conexion: {
                evento.id: evento.lectura
                for clase in CLASES
                for evento in RepositorioEventosSQL(conexion, clase).por_id(None, 1_000)
            }
        )


Abrir = Callable[[Proyectar], Caso]


@pytest.fixture(params=["sqlite", "postgresql"])
def abrir(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Abrir]:
    """Abre una base de datos nueva en la que se cuenta eso."""
    with ExitStack() as pila:

        def abierta(proyectar: Proyectar) -> Caso:
            if request.param == "sqlite":
                base: BaseDatos = BaseDatosSQLite(tmp_path, proyectar)
            else:
                servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
                base = BaseDatosPostgreSQL(servidor.base_nueva(), proyectar)
            libro, reparaciones = base.libro(), base.reparaciones()
            libro.abrir()
            pila.callback(libro.cerrar)
            pila.callback(reparaciones.cerrar)
            return Caso(base, proyectar, libro, reparaciones)

        yield abierta


@pytest.fixture
def caso(abrir: Abrir) -> Caso:
    return abrir(POR_NAVEGADOR)


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


@dataclass
class _Dice:
    """De todos, esa lectura; si se le da con quién, espera a que otro haya leído también."""

    lectura: Lectura
    a_la_vez: Barrier | None = None

    def leer(self, _contenido: Contenido, _señales: Sequence[str]) -> Lectura:
        if self.a_la_vez is not None:
            self.a_la_vez.wait(60)
        return self.lectura


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


def test_lo_que_cambia_de_lectura_cambia_de_cuenta_y_los_usuarios_quedan(
    caso: Caso, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorrido, "PAGINA", 2)
    caso.registrar(*vistas(3), *vistas(2, agente="persona"), CONVERSION, lector=LectorDePrueba("1"))
    usuarios = caso.reparaciones.leer_libro(usuarios_guardados)
    assert caso.por_navegador() == {ROBOT: 3, "persona": 2, CONVERSION.user_agent: 1}
    caso.reclasificar(_Dice(OTRO), escribir=False)
    assert caso.por_navegador() == {ROBOT: 3, "persona": 2, CONVERSION.user_agent: 1}
    for _ in range(2):
        caso.reclasificar(_Dice(OTRO))
        assert caso.por_navegador() == {"otro": 6}
    assert caso.reparaciones.leer_libro(usuarios_guardados) == usuarios


def test_lo_que_no_tenia_lectura_se_descuenta_de_donde_estaba(caso: Caso) -> None:
    caso.registrar(*vistas(2))
    assert caso.por_navegador() == {"": 2}
    caso.reclasificar(LectorDePrueba("2"))
    assert caso.por_navegador() == {ROBOT: 2}


def test_dos_a_la_vez_y_un_consumidor_cuentan_cada_fila_una_vez(caso: Caso) -> None:
    caso.registrar(*vistas(20), lector=LectorDePrueba("1"))
    leida_por_los_dos = Barrier(2)

    def una() -> Reclasificado:
        reparaciones = caso.base.reparaciones()
        try:
            lector = _Dice(OTRO, leida_por_los_dos)
            return caso.reclasificar(lector, campaña_id="c-1", reparaciones=reparaciones)
        finally:
            reparaciones.cerrar()

    with ThreadPoolExecutor(2) as hilos:
        tareas = [hilos.submit(una) for _ in range(2)]
        caso.registrar(*vistas(5, campaña_id="c-2"), lector=LectorDePrueba("1"))
        escritos = [tarea.result().escritos for tarea in tareas]
    assert caso.por_navegador() == {"otro": 20, ROBOT: 5}
    assert sorted(escritos) == [0, 20]


def test_tras_reclasificar_recontar_no_halla_diferencias(abrir: Abrir) -> None:
    caso = abrir(CUENTAS)
    caso.registrar(*vistas(3), CONVERSION, lector=LectorDePrueba("1"))
    for lector in (_Dice(LECTURA), LectorDePrueba("2"), LectorDePrueba("3", robots={ROBOT})):
        assert caso.reclasificar(lector).distintos > 0
        recontado = Recuento(
            hechos(),
            leer=caso.reparaciones.leer_libro,
            escribir=None,
            al_hallar=lambda _hallada: None,
            avanza=lambda _que, _cuantos: None,
        ).recontar()
        assert recontado == Recontado(eventos=4)


CLIC = replace(IMPRESION, id="clic-1", tipo_evento="CLIC", user_agent="teléfono")
COMPRA = replace(CONVERSION, user_agent="servidor", clic_id="clic-1")


def test_la_compra_que_llego_antes_que_su_clic_toma_su_procedencia(caso: Caso) -> None:
    caso.registrar(COMPRA, lector=LectorDePrueba("1"))
    caso.registrar(CLIC, lector=LectorDePrueba("1"))
    assert caso.por_navegador() == {"servidor": 1, "teléfono": 1}
    cambios = {("navegador", "servidor", "teléfono"): 1}
    assert caso.reclasificar(LectorDePrueba("1"), escribir=False).cambios == cambios
    hecho = caso.reclasificar(LectorDePrueba("1"))
    assert (hecho.cambios, hecho.escritos) == (cambios, 1)
    assert caso.lecturas()[CONVERSION.id or ""] == Lectura(
        reglas="1", navegador="teléfono", recibidas=("procedencia_del_clic",)
    )
    assert caso.por_navegador() == {"teléfono": 2}
    assert caso.reclasificar(LectorDePrueba("1")) == Reclasificado(mirados=2)


def test_comparar_dice_de_una_compra_lo_que_dira_su_clic_leido_otra_vez(caso: Caso) -> None:
    caso.registrar(CLIC)
    caso.registrar(COMPRA)
    comparado = caso.reclasificar(LectorDePrueba("2"), escribir=False)
    assert comparado.cambios == {("navegador", None, "teléfono"): 2}
    assert caso.reclasificar(LectorDePrueba("2")).cambios == comparado.cambios


def test_el_clic_que_hoy_no_se_puede_leer_dice_lo_que_decia(caso: Caso) -> None:
    caso.registrar(CLIC, lector=LectorDePrueba("1"))
    caso.registrar(COMPRA, lector=LectorDePrueba("1"))

    class _NoEntiendeElClic(LectorDePrueba):
        def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:
            if contenido.id == CLIC.id:
                return _NoPuede().leer(contenido, señales)
            return super().leer(contenido, señales)

    hecho = caso.reclasificar(_NoEntiendeElClic("1"))
    assert hecho == Reclasificado(mirados=2, sin_evaluar=1)


def test_un_clic_que_otra_mano_dejo_ilegible_no_impide_registrar_su_compra(caso: Caso) -> None:
    caso.registrar(CLIC, lector=LectorDePrueba("1"))
    caso.reparaciones.escribir(
        lambda conexion: conexion.execute(text("UPDATE impresiones SET lectura = '{'"))
    )
    caso.registrar(COMPRA, lector=LectorDePrueba("1"))
    assert caso.por_navegador() == {"teléfono": 1, "servidor": 1}

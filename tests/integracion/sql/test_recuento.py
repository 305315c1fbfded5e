"""El recuento de los informes sobre los dos motores: qué halla, qué corrige y quién escribe mientras."""

import asyncio
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, select, text

from alpespartners.composicion import ordenes
from alpespartners.composicion.adaptadores import CUENTAS
from alpespartners.config import Configuracion
from alpespartners.migraciones import CABEZA
from alpespartners.modulos.informes.dominio.cuenta import Cuenta
from alpespartners.modulos.informes.dominio.diferencia import Diferencia, DiferenciaDeUsuarios
from alpespartners.modulos.informes.dominio.usuarios import Usuarios
from alpespartners.modulos.informes.infraestructura.recuento import (
    CuentaIlegible,
    EnTransaccion,
    Recontado,
    Recuento,
)
from alpespartners.modulos.informes.infraestructura.tablas import METADATOS
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES, IMPRESIONES, Clase
from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarConversion, RegistrarImpresion
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible, BaseDatosOcupada, Lector
from alpespartners.modulos.tracking.infraestructura.libro.hechos import hechos
from alpespartners.modulos.tracking.infraestructura.motores.base_datos import BaseDatos, Libro, Reparaciones
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.base_datos import BaseDatosPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.sqlite import base_datos as base_datos_sqlite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.base_datos import BaseDatosSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.reparaciones import ReparacionesSQLite
from alpespartners.seedwork.arranque import ErrorDeArranque
from tests.apoyo.cuentas import (
    TABLAS,
    Cuentas,
    boceto_de,
    contadas_desde_las_filas,
    cuentas_guardadas,
    procedencias_desde_las_filas,
    procedencias_guardadas,
    usuarios_desde_las_filas,
    usuarios_guardados,
)
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import AHORA, CONVERSION, IMPRESION, recibido
from tests.apoyo.postgresql import ServidorDePrueba
from tests.apoyo.procedencias import LectorPorAgente, LectorPorTurnos

T = TypeVar("T")
C = TypeVar("C", RegistrarImpresion, RegistrarConversion)

MARTES = AHORA.replace(hour=23, minute=50)
DIA = timedelta(days=1)
SEMANA = timedelta(weeks=1)


@dataclass
class Caso:
    """Una base de datos con un consumidor abierto, y con qué se recuenta."""

    base: BaseDatos
    libro: Libro
    reparaciones: Reparaciones

    def registrar(self, clase: Clase, *comandos: C) -> None:
        """Asienta un lote, como un consumidor."""
        asentar(self.libro, clase, comandos)

    def registrar_de_todas_partes(self) -> None:
        """Cincuenta eventos de tres semanas, con procedencias de todas las maneras y sin ninguna."""
        lector = LectorPorTurnos()
        for n in range(25):
            comunes: dict[str, Any] = {"campaña_id": f"p-{n % 2}", "timestamp": MARTES - n * SEMANA / 8}
            asentar(self.libro, CONVERSIONES, [replace(CONVERSION, id=f"pc-{n}", **comunes)], lector)
            asentar(self.libro, IMPRESIONES, [replace(IMPRESION, id=f"pi-{n}", **comunes)], lector)

    def pasa_de_todo(self) -> None:
        """Historia de cuatro semanas y cuatro campañas, con reentregas, duplicados, conflictos y rechazos."""
        ventas = [
            replace(
                CONVERSION,
                id=f"v-{n}",
                campaña_id=f"c-{n % 3}",
                influencer_id=("ana", "eva", None)[n % 3],
                cupon=(None, "VERANO")[n % 2],
                tipo_conversion=("VENTA", "REGISTRO")[n % 5 == 0],
                valor=None if n % 5 == 0 else Decimal("99999999999999.99") - n,
                moneda=None if n % 10 == 0 else ("USD", "EUR")[n % 2],
                usuario_id=(None, f"usr-{n % 4}")[n % 7 > 0],
                timestamp=MARTES - n * SEMANA / 6,
                user_agent=f"{n}",
            )
            for n in range(24)
        ]
        vistas = [
            replace(
                IMPRESION,
                id=f"i-{n}",
                campaña_id=f"c-{n % 4}",
                tipo_evento=("IMPRESION", "CLIC")[n % 3 > 0],
                timestamp=MARTES - n * SEMANA / 10,
                user_agent=f"{n}",
            )
            for n in range(40)
        ]
        for _entrega in range(2):
            self.registrar(CONVERSIONES, *ventas)
            self.registrar(IMPRESIONES, *vistas)
        self.registrar(CONVERSIONES, ventas[0], replace(ventas[1], cupon="OTRO"), replace(ventas[2], id="ñ"))
        self.registrar(CONVERSIONES, replace(CONVERSION, id="mala", moneda="ZZZ"))

    def recontar(
        self,
        *,
        corregir: bool = True,
        leer: EnTransaccion | None = None,
        escribir: EnTransaccion | None = None,
        eventos_por_pieza: int = 7,
    ) -> tuple[Recontado, list[Diferencia | DiferenciaDeUsuarios]]:
        halladas: list[Diferencia | DiferenciaDeUsuarios] = []
        hecho = Recuento(
            hechos(),
            leer=leer or self.reparaciones.leer_libro,
            escribir=(escribir or self.reparaciones.escribir) if corregir else None,
            al_hallar=halladas.append,
            avanza=lambda _que, _cuantos: None,
            eventos_por_pieza=eventos_por_pieza,
        ).recontar()
        return hecho, halladas

    def alterar(self, sentencia: str) -> None:
        """Lo que haría otra mano."""
        self.reparaciones.escribir(lambda conexion: conexion.execute(text(sentencia)))

    def contado(self) -> Cuentas:
        """Lo que dicen las cuatro tablas, sin las claves que no cuentan nada."""
        return self.reparaciones.leer_libro(cuentas_guardadas)

    def cuadra(self) -> bool:
        usuarios = self.reparaciones.leer_libro(usuarios_guardados)
        procedencias = self.reparaciones.leer_libro(procedencias_guardadas)
        return (
            self.contado() == self.reparaciones.leer_libro(contadas_desde_las_filas)
            and usuarios == self.reparaciones.leer_libro(usuarios_desde_las_filas)
            and procedencias == self.reparaciones.leer_libro(procedencias_desde_las_filas)
        )


def asentar(libro: Libro, clase: Clase, comandos: Sequence[C], lector: Lector | None = None) -> None:
    lote = [
        recibido(
            comando,
            f"de-{comando.id}",
            huella=blake2b(repr(comando).encode(), digest_size=16).digest(),
        )
        for comando in comandos
    ]
    lee = lector or LectorPorAgente()
    asyncio.run(libro.ejecutar(lambda t: ManejadorDeRegistro(clase, lee).manejar(lote, t, AHORA)))


@contextmanager
def caso_sobre(base: BaseDatos) -> Iterator[Caso]:
    libro, reparaciones = base.libro(), base.reparaciones()
    libro.abrir()
    try:
        yield Caso(base, libro, reparaciones)
    finally:
        reparaciones.cerrar()
        libro.cerrar()


@pytest.fixture(params=["sqlite", "postgresql"])
def caso(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Caso]:
    if request.param == "sqlite":
        base: BaseDatos = BaseDatosSQLite(tmp_path, CUENTAS)
    else:
        servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
        base = BaseDatosPostgreSQL(servidor.base_nueva(), CUENTAS)
    with caso_sobre(base) as nuevo:
        yield nuevo


@pytest.mark.parametrize("eventos_por_pieza", [1, 7, 50_000])
def test_tras_una_historia_corriente_no_hay_diferencias(caso: Caso, eventos_por_pieza: int) -> None:
    caso.pasa_de_todo()
    assert caso.cuadra()
    hecho, halladas = caso.recontar(eventos_por_pieza=eventos_por_pieza)
    assert halladas == []
    assert hecho == Recontado(eventos=65)


def test_sin_nada_registrado_no_hay_nada_que_contar(caso: Caso) -> None:
    assert caso.recontar() == (Recontado(), [])


UNA_CLAVE = "campana_id = 'c-1' AND tipo = 'VENTA' AND moneda = 'USD'"


@pytest.mark.parametrize("tabla", TABLAS)
@pytest.mark.parametrize(
    ("alteracion", "cambio"),
    [
        ("DELETE FROM {}", None),
        ("UPDATE {} SET cuantos = cuantos + 3", Cuenta(3)),
        ("UPDATE {} SET cuantos = cuantos - 1", Cuenta(-1)),
        ("UPDATE {} SET valor_bajo = valor_bajo + 1", Cuenta(0, 1)),
        ("UPDATE {} SET valor_alto = valor_alto - 2", Cuenta(0, -2 * 10**9)),
    ],
)
def test_lo_que_otra_mano_cambio_en_una_tabla_se_halla_se_dice_y_se_corrige(
    caso: Caso, tabla: str, alteracion: str, cambio: Cuenta | None
) -> None:
    caso.pasa_de_todo()
    antes = caso.contado()
    caso.alterar(f"{alteracion.format(tabla)} WHERE {UNA_CLAVE}")
    alterado = caso.contado()
    afectadas = {clave for clave in antes[tabla] if alterado[tabla].get(clave) != antes[tabla][clave]}
    assert afectadas

    comparado, halladas = caso.recontar(corregir=False)
    assert (comparado.diferencias, comparado.corregidas) == (len(afectadas), 0)
    assert caso.contado() == alterado
    assert {hallada.tabla for hallada in halladas} == {tabla}
    assert {hallada.hay for hallada in halladas} == {Cuenta(*antes[tabla][clave]) for clave in afectadas}
    for hallada in halladas:
        assert isinstance(hallada, Diferencia)
        assert hallada.contada == (Cuenta() if cambio is None else hallada.hay + cambio)

    corregido, otra_vez = caso.recontar()
    assert (corregido.diferencias, corregido.corregidas) == (len(afectadas), len(afectadas))
    assert otra_vez == halladas
    assert caso.contado() == antes
    assert caso.recontar()[1] == []


def test_una_diferencia_nombra_su_clave_entera(caso: Caso) -> None:
    caso.registrar(CONVERSIONES, replace(CONVERSION, cupon="VERANO"))
    for tabla in TABLAS:
        caso.alterar(f"UPDATE {tabla} SET cuantos = 7")  # noqa: S608 (son las suyas)
    _, halladas = caso.recontar()
    dia = AHORA.replace(hour=0, minute=0, second=0, microsecond=0)
    de_todas = Diferencia(
        tabla="cuentas_por_dia",
        campana_id="cmp-456",
        desde=dia,
        tipo="VENTA",
        clase="",
        moneda="COP",
        contada=Cuenta(7, 1_500_000_000),
        hay=Cuenta(1, 1_500_000_000),
    )
    assert sorted(halladas, key=lambda hallada: hallada.tabla) == [
        de_todas,
        replace(de_todas, tabla="cuentas_por_influencer", influencer_id="inf-789", cupon="VERANO"),
        replace(
            de_todas,
            tabla="cuentas_por_semana",
            desde=dia - 3 * DIA,
            influencer_id="inf-789",
            cupon="VERANO",
        ),
        replace(de_todas, tabla="cuentas_por_tramo", desde=dia.replace(hour=10, minute=30)),
    ]


INVENTADAS = {
    "cuentas_por_tramo": "campana_id, tramo, tipo, clase, moneda",
    "cuentas_por_dia": "campana_id, dia, tipo, clase, moneda",
    "cuentas_por_influencer": "campana_id, dia, influencer_id, cupon, tipo, clase, moneda",
    "cuentas_por_semana": "campana_id, semana, influencer_id, cupon, tipo, clase, moneda",
}


@pytest.mark.parametrize("tabla", TABLAS)
def test_una_cuenta_inventada_se_resta_hasta_que_no_se_ve(caso: Caso, tabla: str) -> None:
    caso.pasa_de_todo()
    antes = caso.contado()
    claves = INVENTADAS[tabla]
    de_nadie = claves.replace("campana_id", "'a-sin-filas'")
    de_otra_moneda = claves.replace("moneda", "'XXX'")
    for inventadas in (de_nadie, de_otra_moneda):
        caso.alterar(
            f"INSERT INTO {tabla} ({claves}, fragmento, cuantos, valor_alto, valor_bajo)"  # noqa: S608 (ídem)
            f" SELECT {inventadas}, 3, 5, 1, -8 FROM {tabla} WHERE {UNA_CLAVE}"
        )
    _, halladas = caso.recontar()
    assert halladas
    de_cuentas = [hallada for hallada in halladas if isinstance(hallada, Diferencia)]
    assert len(de_cuentas) == len(halladas)
    assert {(hallada.contada, hallada.hay) for hallada in de_cuentas} == {(Cuenta(5, 10**9 - 8), Cuenta())}
    assert caso.contado() == antes
    assert caso.recontar()[1] == []


@pytest.mark.parametrize("eventos_por_pieza", [7, 50_000])
def test_las_procedencias_de_cualquier_lectura_cuadran_al_recontar(
    caso: Caso, eventos_por_pieza: int
) -> None:
    caso.registrar_de_todas_partes()
    assert caso.cuadra()
    assert caso.recontar(eventos_por_pieza=eventos_por_pieza) == (Recontado(eventos=50), [])


@pytest.mark.parametrize(
    "alteracion",
    [
        "DELETE FROM cuentas_por_procedencia",
        "UPDATE cuentas_por_procedencia SET cuantos = cuantos + 3 WHERE dimension = 'robot'",
        "UPDATE cuentas_por_procedencia SET valor_bajo = valor_bajo + 1 WHERE dato = 'instagram'",
        "UPDATE cuentas_por_procedencia SET dato = 'inventado' WHERE dato = 'google'",
        "UPDATE cuentas_por_procedencia SET clase = 'INVALIDO' WHERE clase = 'UNICO'",
        "UPDATE impresiones SET lectura = NULL WHERE id < 'pi-2'",
    ],
)
def test_las_procedencias_que_otra_mano_cambio_se_hallan_y_se_corrigen(caso: Caso, alteracion: str) -> None:
    caso.registrar_de_todas_partes()
    caso.alterar(alteracion)
    assert not caso.cuadra()
    comparado, halladas = caso.recontar(corregir=False)
    assert "cuentas_por_procedencia" in {hallada.tabla for hallada in halladas}
    assert not caso.cuadra()
    corregido, otra_vez = caso.recontar()
    assert corregido.corregidas == corregido.diferencias == comparado.diferencias > 0
    assert otra_vez == halladas
    assert caso.cuadra()
    assert caso.recontar()[1] == []


def test_la_diferencia_de_una_procedencia_nombra_su_dimension_y_su_dato(caso: Caso) -> None:
    asentar(caso.libro, CONVERSIONES, [CONVERSION], LectorPorTurnos())
    caso.alterar("UPDATE cuentas_por_procedencia SET cuantos = 7 WHERE dimension = 'pais'")
    assert caso.recontar()[1] == [
        Diferencia(
            tabla="cuentas_por_procedencia",
            campana_id="cmp-456",
            desde=AHORA.replace(hour=0, minute=0, second=0, microsecond=0),
            tipo="VENTA",
            clase="UNICO",
            moneda="COP",
            dimension="pais",
            dato="CO",
            contada=Cuenta(7, 1_500_000_000),
            hay=Cuenta(1, 1_500_000_000),
        )
    ]


UN_DIA = "campana_id = 'cmp-456'"
OTRO_FRAGMENTO = (
    "INSERT INTO usuarios_por_dia SELECT campana_id, dia, 99, 0, {otro} FROM usuarios_por_dia WHERE {}"
)


@pytest.mark.parametrize(
    ("alteracion", "contados"),
    [
        ("DELETE FROM usuarios_por_dia WHERE {}", Usuarios()),
        ("UPDATE usuarios_por_dia SET eventos = eventos + 3 WHERE {}", Usuarios(5, boceto_de(["a", "b"]))),
        ("UPDATE usuarios_por_dia SET boceto = {otro} WHERE {}", Usuarios(2, boceto_de(["a", "c"]))),
        ("UPDATE usuarios_por_dia SET boceto = {corto} WHERE {}", None),
        ("UPDATE usuarios_por_dia SET boceto = {guarda} WHERE {}", None),
        (
            OTRO_FRAGMENTO,
            Usuarios(2, boceto_de(["a", "b", "c"])),
        ),
    ],
)
def test_los_usuarios_que_otra_mano_cambio_se_hallan_se_dicen_y_se_corrigen(
    caso: Caso, alteracion: str, contados: Usuarios | None
) -> None:
    caso.pasa_de_todo()
    caso.registrar(IMPRESIONES, *(replace(IMPRESION, id=f"u-{u}", usuario_id=u) for u in "ab"))
    octetos = {"otro": boceto_de(["a", "c"]), "corto": b"1234567", "guarda": b"\x80" * 4096}
    en_sql = {
        nombre: f"X'{valor.hex()}'" if isinstance(caso.base, BaseDatosSQLite) else f"'\\x{valor.hex()}'"
        for nombre, valor in octetos.items()
    }
    caso.alterar(alteracion.format(UN_DIA, **en_sql))
    assert not caso.cuadra()
    esperada = DiferenciaDeUsuarios(
        tabla="usuarios_por_dia",
        campana_id="cmp-456",
        desde=AHORA.replace(hour=0, minute=0, second=0, microsecond=0),
        contados=contados,
        hay=Usuarios(2, boceto_de(["a", "b"])),
    )
    assert caso.recontar(corregir=False)[1] == [esperada]
    assert not caso.cuadra()
    assert caso.recontar() == (Recontado(67, 1, 1), [esperada])
    assert caso.cuadra()
    assert caso.recontar()[1] == []


def test_un_boceto_que_no_se_entiende_no_impide_registrar(caso: Caso) -> None:
    caso.registrar(IMPRESIONES, replace(IMPRESION, id="una"))
    ilegible = "X'00'" if isinstance(caso.base, BaseDatosSQLite) else "'\\x00'"
    caso.alterar(f"UPDATE usuarios_por_dia SET boceto = {ilegible}")  # noqa: S608 (es suyo)
    caso.registrar(IMPRESIONES, replace(IMPRESION, id="dos", usuario_id="otro"))
    (hallada,) = caso.recontar()[1]
    assert isinstance(hallada, DiferenciaDeUsuarios)
    assert (hallada.contados, hallada.hay.eventos) == (None, 2)
    assert caso.cuadra()


def test_los_usuarios_de_un_dia_que_nadie_registro_se_borran(caso: Caso) -> None:
    caso.pasa_de_todo()
    caso.alterar(
        "INSERT INTO usuarios_por_dia SELECT 'a-sin-filas', dia, 3, eventos, boceto FROM usuarios_por_dia"
        " WHERE campana_id = 'c-1'"
    )
    assert not caso.cuadra()
    assert {hallada.hay for hallada in caso.recontar()[1]} == {Usuarios()}
    assert caso.cuadra()


COPIA = (
    "INSERT INTO {0} (id, campana_id, {1}, propiedades, comando_id, recibido_en, registrado_en, ocurrido_en,"
    " advertencias, secuencia) SELECT id || '-copia', {2}, {1}, propiedades, comando_id, recibido_en,"
    " registrado_en, ocurrido_en, advertencias, secuencia + 1000 FROM {0} WHERE {3}"
)


@pytest.mark.parametrize(
    "alteracion",
    [
        COPIA.format("impresiones", "tipo_evento", "campana_id", "id = 'i-3'"),
        COPIA.format("conversiones", "tipo_conversion, valor, moneda, cupon", "'nueva'", "id > 'v-1'"),
        "DELETE FROM impresiones WHERE campana_id = 'c-3'",
        "UPDATE impresiones SET usuario_id = 'otro' WHERE campana_id = 'c-0'",
        "UPDATE impresiones SET lectura = NULL WHERE campana_id = 'c-2'",
        """UPDATE conversiones SET lectura = '{"reglas": "2", "bot": true}' WHERE campana_id = 'c-1'""",
        "DELETE FROM conversiones WHERE id = 'v-4'",
        "UPDATE conversiones SET valor = valor - 10000 WHERE campana_id = 'c-2'",
        "UPDATE conversiones SET cupon = 'OTRO', tipo_conversion = 'REGISTRO' WHERE id = 'v-7'",
    ],
)
def test_tras_tocar_las_filas_por_fuera_los_informes_dicen_lo_que_ellas(caso: Caso, alteracion: str) -> None:
    caso.pasa_de_todo()
    caso.alterar(alteracion)
    assert not caso.cuadra()
    hecho, _ = caso.recontar()
    assert hecho.corregidas == hecho.diferencias > 0
    assert caso.cuadra()
    assert caso.recontar()[1] == []


def test_sin_ninguna_cuenta_se_cuenta_todo_en_piezas_pequeñas(caso: Caso) -> None:
    caso.pasa_de_todo()
    antes = caso.contado()
    for tabla in TABLAS:
        caso.alterar(f"DELETE FROM {tabla}")  # noqa: S608 (ídem)
    piezas: list[int] = []
    Recuento(
        hechos(),
        leer=caso.reparaciones.leer_libro,
        escribir=caso.reparaciones.escribir,
        al_hallar=lambda _: None,
        avanza=lambda _, cuantos: piezas.append(cuantos),
        eventos_por_pieza=4,
    ).recontar()
    assert caso.contado() == antes
    assert sum(piezas) == 65
    # De cada clase de evento, los de una pieza: ninguna semana tiene más.
    assert max(piezas) <= 2 * 4


def test_si_muere_a_mitad_lo_corregido_vale_y_repetirlo_hace_lo_que_falta(caso: Caso) -> None:
    caso.pasa_de_todo()
    antes = caso.contado()
    for tabla in TABLAS:
        caso.alterar(f"UPDATE {tabla} SET cuantos = cuantos + 1, valor_bajo = 0")  # noqa: S608 (ídem)
    _, todas = caso.recontar(corregir=False)

    class Muerte(Exception):
        pass

    escritos = count()

    def escribir(trabajo: Callable[[Connection], T]) -> T:
        if next(escritos) == 3:
            raise Muerte
        return caso.reparaciones.escribir(trabajo)

    with suppress(Muerte):
        caso.recontar(escribir=escribir)
    _, restantes = caso.recontar(corregir=False)
    assert 0 < len(restantes) < len(todas)
    assert caso.recontar()[1] == restantes
    assert caso.contado() == antes


def test_una_correccion_que_ya_hizo_otro_se_dice_igualmente(caso: Caso) -> None:
    caso.pasa_de_todo()
    caso.alterar("UPDATE cuentas_por_dia SET cuantos = cuantos + 1")

    def dos_veces(trabajo: Callable[[Connection], T]) -> T:
        # Como si se cortara la conexión sin saber si el commit llegó.
        caso.reparaciones.escribir(trabajo)
        return caso.reparaciones.escribir(trabajo)

    hecho, halladas = caso.recontar(escribir=dos_veces)
    assert hecho.corregidas == hecho.diferencias == len(halladas) > 0
    assert caso.cuadra()


def test_las_correcciones_no_tocan_lo_que_suma_ningun_consumidor(caso: Caso) -> None:
    caso.pasa_de_todo()
    caso.alterar("UPDATE cuentas_por_dia SET cuantos = cuantos + 1")

    def de_los_consumidores() -> list[Any]:
        consulta = text("SELECT * FROM cuentas_por_dia WHERE fragmento >= 0 ORDER BY 1, 2, 3, 4, 5, 6")
        return caso.reparaciones.leer_libro(lambda conexion: list(conexion.execute(consulta)))

    antes = de_los_consumidores()
    caso.recontar()
    assert caso.cuadra()
    assert de_los_consumidores() == antes


def test_lo_que_no_cabe_en_una_cuenta_se_dice_y_no_se_toca(caso: Caso) -> None:
    caso.pasa_de_todo()
    caso.alterar("UPDATE cuentas_por_dia SET cuantos = 9223372036854775807")
    caso.alterar(
        "INSERT INTO cuentas_por_dia SELECT campana_id, dia, tipo, clase, moneda, 99, cuantos, valor_alto,"
        " valor_bajo FROM cuentas_por_dia"
    )
    antes = caso.contado()
    with pytest.raises((CuentaIlegible, BaseDatosNoDisponible)):
        caso.recontar()
    assert caso.contado() == antes


def test_lo_que_esta_ocupado_se_dice_y_lo_de_detras_se_corrige(
    caso: Caso, monkeypatch: pytest.MonkeyPatch
) -> None:
    caso.pasa_de_todo()
    caso.alterar("UPDATE cuentas_por_tramo SET cuantos = cuantos + 1 WHERE campana_id <= 'c-1'")
    de_verdad = type(caso.reparaciones).escribir
    veces = count()

    def escribir(reparaciones: Any, trabajo: Callable[[Connection], T]) -> T:
        if next(veces) == 0:
            raise BaseDatosOcupada("SQLSTATE 40001")
        return de_verdad(reparaciones, trabajo)

    monkeypatch.setattr(type(caso.reparaciones), "escribir", escribir)
    monkeypatch.setattr(ordenes, "base_datos", lambda _configuracion: caso.base)
    halladas: list[Diferencia | DiferenciaDeUsuarios] = []
    hecho = ordenes.recontar(
        Configuracion(), corregir=True, al_hallar=halladas.append, avanza=lambda _que, _cuantos: None
    )
    assert hecho.impedimento is not None
    assert "(SQLSTATE 40001): repita la orden" in hecho.impedimento
    assert 0 < hecho.corregidas < hecho.diferencias == len(halladas)
    hecho, otra_vez = caso.recontar()
    assert (hecho.impedimento, hecho.corregidas) == (None, len(otra_vez))
    assert caso.cuadra()


def test_si_entre_leer_y_escribir_se_migra_no_se_escribe(caso: Caso) -> None:
    caso.pasa_de_todo()
    caso.alterar("UPDATE cuentas_por_dia SET cuantos = cuantos + 1")
    antes = caso.contado()

    def tras_migrar(trabajo: Callable[[Connection], T]) -> T:
        caso.alterar("UPDATE alembic_version SET version_num = '9999'")
        return caso.reparaciones.escribir(trabajo)

    with pytest.raises(BaseDatosNoDisponible, match="versión posterior"):
        caso.recontar(escribir=tras_migrar)
    volver = text("UPDATE alembic_version SET version_num = :cabeza").bindparams(cabeza=CABEZA)
    asyncio.run(caso.libro.ejecutar(lambda t: t._conexion.execute(volver)))  # noqa: SLF001 (nada más la tiene)
    assert caso.contado() == antes


def test_quien_tiene_el_turno_escribe_aunque_la_biblioteca_no_admita_dos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_datos_sqlite, "admite_dos_escritores", lambda: False)
    base = BaseDatosSQLite(tmp_path, CUENTAS)
    with caso_sobre(base):
        sin_el, con_el = base.reparaciones(), base.reparaciones(con_el_turno=True)
        try:
            with pytest.raises(ErrorDeArranque, match="detenga los consumidores"):
                sin_el.escribir(lambda conexion: conexion.scalar(select(1)))
            assert con_el.escribir(lambda conexion: conexion.scalar(select(1))) == 1
        finally:
            sin_el.cerrar()
            con_el.cerrar()


class Escritores:
    """Consumidores que registran sin parar, cada uno en su hilo."""

    def __init__(self, libros: Sequence[Libro]) -> None:
        self.lotes = [0] * len(libros)
        self._parar = threading.Event()
        self._hilos = ThreadPoolExecutor(len(libros))
        self._tareas = [self._hilos.submit(self._escribir, n, libro) for n, libro in enumerate(libros)]

    def esperar_a_que_avancen(self) -> None:
        antes = list(self.lotes)
        hasta(lambda: all(ahora > visto for ahora, visto in zip(self.lotes, antes, strict=True)))

    def parar(self) -> None:
        self._parar.set()
        self._hilos.shutdown()
        for tarea in self._tareas:
            tarea.result()

    def _escribir(self, cual: int, libro: Libro) -> None:
        while not self._parar.is_set():
            lote = self.lotes[cual]
            comandos = [
                replace(
                    CONVERSION,
                    id=f"w-{cual}-{lote}-{n}",
                    campaña_id=f"c-{n}",
                    usuario_id=f"usr-{cual}-{lote}-{n}",
                    timestamp=MARTES - n * DIA / 6,
                )
                for n in range(3)
            ]
            # Como un consumidor: lo que halla bloqueado por una corrección lo repite.
            with suppress(BaseDatosNoDisponible):
                asentar(libro, CONVERSIONES, comandos)
                self.lotes[cual] += 1


def test_corrige_lo_justo_mientras_los_consumidores_registran(caso: Caso) -> None:
    caso.pasa_de_todo()
    for tabla in TABLAS:
        caso.alterar(f"UPDATE {tabla} SET cuantos = cuantos * 2, valor_alto = 0")  # noqa: S608 (ídem)
    caso.alterar("UPDATE usuarios_por_dia SET eventos = eventos + 1")
    varios = not isinstance(caso.base, BaseDatosSQLite)
    otro = caso.base.libro() if varios else None
    if otro is not None:
        otro.abrir()
    escritores = Escritores([caso.libro] if otro is None else [caso.libro, otro])

    def leer(trabajo: Callable[[Connection], T]) -> T:
        return caso.reparaciones.leer_libro(lambda conexion: _tras_avanzar(conexion, trabajo))

    def escribir(trabajo: Callable[[Connection], T]) -> T:
        if varios:
            return caso.reparaciones.escribir(lambda conexion: _tras_avanzar(conexion, trabajo))
        # Con SQLite, quien escribe está solo mientras dura.
        escritores.esperar_a_que_avancen()
        return caso.reparaciones.escribir(trabajo)

    def _tras_avanzar(conexion: Connection, trabajo: Callable[[Connection], T]) -> T:
        """Con la instantánea ya tomada, deja que se registre más."""
        conexion.execute(select(METADATOS.sorted_tables[0]).limit(1)).all()
        escritores.esperar_a_que_avancen()
        return trabajo(conexion)

    try:
        hecho, halladas = caso.recontar(leer=leer, escribir=escribir, eventos_por_pieza=60)
        escritores.esperar_a_que_avancen()
    finally:
        escritores.parar()
        if otro is not None:
            otro.cerrar()
    assert hecho.corregidas == len(halladas) > 0
    assert caso.cuadra()
    assert caso.recontar()[1] == []


def test_dos_recuentos_a_la_vez_corrigen_una_sola_vez(caso: Caso) -> None:
    caso.pasa_de_todo()
    antes = caso.contado()
    for tabla in TABLAS:
        caso.alterar(f"DELETE FROM {tabla} WHERE {UNA_CLAVE}")  # noqa: S608 (ídem)
    caso.alterar("DELETE FROM usuarios_por_dia WHERE campana_id = 'c-2'")
    _, todas = caso.recontar(corregir=False)
    en_la_instantanea = not isinstance(caso.base, BaseDatosSQLite)

    def recontar(
        barrera: threading.Barrier, reparaciones: Reparaciones
    ) -> list[Diferencia | DiferenciaDeUsuarios]:
        pendientes = iter([barrera.wait])

        def juntos(conexion: Connection, trabajo: Callable[[Connection], T]) -> T:
            conexion.execute(select(METADATOS.sorted_tables[0]).limit(1)).all()
            next(pendientes, lambda: 0)()
            return trabajo(conexion)

        def escribir(trabajo: Callable[[Connection], T]) -> T:
            if en_la_instantanea:
                return reparaciones.escribir(lambda conexion: juntos(conexion, trabajo))
            next(pendientes, lambda: 0)()
            return reparaciones.escribir(trabajo)

        return caso.recontar(leer=reparaciones.leer_libro, escribir=escribir, eventos_por_pieza=50_000)[1]

    otras = caso.base.reparaciones()
    barrera = threading.Barrier(2, timeout=30)
    try:
        with ThreadPoolExecutor(2) as hilos:
            tareas = [hilos.submit(recontar, barrera, suyas) for suyas in (caso.reparaciones, otras)]
            halladas = [hallada for tarea in tareas for hallada in tarea.result()]
    finally:
        otras.cerrar()
    # Los dos dicen lo que hallaron; se suma una vez.
    assert set(halladas) == set(todas)
    assert caso.contado() == antes


def test_lo_que_el_consumidor_halla_bloqueado_por_una_correccion_lo_puede_repetir(tmp_path: Path) -> None:
    with caso_sobre(BaseDatosSQLite(tmp_path, CUENTAS)) as caso, ThreadPoolExecutor(1) as hilo:
        dentro, acabar = threading.Event(), threading.Event()

        def corrigiendo(_conexion: Connection) -> None:
            dentro.set()
            assert acabar.wait(30)

        correccion = hilo.submit(caso.reparaciones.escribir, corrigiendo)
        try:
            assert dentro.wait(30)
            with pytest.raises(BaseDatosNoDisponible):
                caso.registrar(CONVERSIONES, CONVERSION)
        finally:
            acabar.set()
        correccion.result()
        caso.registrar(CONVERSIONES, CONVERSION)
        assert caso.recontar() == (Recontado(eventos=1), [])


def test_la_correccion_espera_un_minuto_a_un_consumidor_que_escribe_sin_parar(tmp_path: Path) -> None:
    # Con cinco segundos, en una máquina cargada, de cada mil veces había una en que nunca le tocaba.
    with caso_sobre(BaseDatosSQLite(tmp_path, CUENTAS)) as caso:
        espera = caso.reparaciones.escribir(lambda conexion: conexion.scalar(text("PRAGMA busy_timeout")))
    assert espera == 60_000


def test_sin_poder_escribir_junto_al_consumidor_compara_y_dice_que_se_detenga(tmp_path: Path) -> None:
    base = BaseDatosSQLite(tmp_path, CUENTAS)
    de_las_antiguas = ReparacionesSQLite(tmp_path, CUENTAS.metadatos, sin_turno=False)
    with caso_sobre(base) as caso:
        caso.pasa_de_todo()
        antes = caso.contado()
        caso.alterar("DELETE FROM cuentas_por_dia")
        hecho, halladas = caso.recontar(escribir=de_las_antiguas.escribir)
        assert hecho.impedimento is not None
        assert "detenga los consumidores" in hecho.impedimento
        assert (hecho.diferencias, hecho.corregidas) == (len(antes["cuentas_por_dia"]), 0)
        assert len(halladas) == hecho.diferencias
    sin_consumidor = Caso(base, base.libro(), de_las_antiguas)
    try:
        assert sin_consumidor.recontar()[0].corregidas == hecho.diferencias
        assert sin_consumidor.contado() == antes
    finally:
        de_las_antiguas.cerrar()

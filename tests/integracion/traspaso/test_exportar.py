"""Exportar: el archivo tiene lo que hay en el libro, muera cuando muera quien lo escribe."""

import asyncio
import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from alpespartners.api.http.columnas import columnas
from alpespartners.api.http.respuestas import en_json
from alpespartners.api.tracking.conversiones import CONVERSIONES
from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.entidades import Conversion
from alpespartners.modulos.tracking.dominio.repositorios import FiltroCorriente
from alpespartners.modulos.tracking.infraestructura.libro.corriente import CorrienteSQL
from alpespartners.seedwork.csv_protegido import sin_proteger
from alpespartners.traspaso.exportacion import (
    NoCuadra,
    NoSePuedeExportar,
    PedidoDeExportacion,
    exportar,
)
from alpespartners.traspaso.formatos import EnCSV, EnNDJSON, Formato
from alpespartners.traspaso.parquet import EnParquet
from tests.apoyo.base_datos import libro_sqlite, sql
from tests.apoyo.estrategias import comandos_de_conversion
from tests.apoyo.eventos import AHORA, conversion
from tests.apoyo.postgresql import ServidorDePrueba, libro_postgresql
from tests.apoyo.procedencias import LECTURA

T = TypeVar("T")

FORMATOS: dict[str, Callable[[Any], Formato]] = {"csv": EnCSV, "ndjson": EnNDJSON, "parquet": EnParquet}


class Muerte(BaseException):
    """Quien exporta muere: nada de lo que venga detrás se ejecuta."""


class Exportador:
    """Un libro y un archivo, con verbos cortos."""

    def __init__(self, unidad: Any, lecturas: Any, carpeta: Path) -> None:
        self.unidad = unidad
        self.lecturas = lecturas
        self.carpeta = carpeta
        self._bucle = asyncio.Runner()
        self.consultas = 0
        self.muere_en = -1
        self.al_leer: Callable[[], None] = lambda: None

    def agregar(self, *conversiones: Conversion) -> None:
        self._bucle.run(self.unidad.ejecutar(lambda t: t.eventos(clases.CONVERSIONES).agregar(conversiones)))

    def leer(self, consulta: Callable[[Consulta], T]) -> T:
        self.consultas += 1
        if self.consultas == self.muere_en:
            raise Muerte
        entretanto, self.al_leer = self.al_leer, lambda: None
        entretanto()
        leido: T = self._bucle.run(self.lecturas.leer(consulta))
        return leido

    def exportar(self, nombre: str, *, reemplazar: bool = False, **filtro: Any) -> int:
        formato = nombre.rpartition(".")[2]
        pedido = PedidoDeExportacion(
            clase=CONVERSIONES,
            filtro=FiltroCorriente(**filtro),
            formato=FORMATOS[formato](CONVERSIONES.forma),
            identidad=f"{formato} {filtro}",
            ruta=self.carpeta / nombre,
            reemplazar=reemplazar,
        )
        return exportar(self.leer, pedido, avanza=lambda *_: None, filas_por_trozo=4)

    def octetos(self, nombre: str) -> bytes:
        return (self.carpeta / nombre).read_bytes()

    def cerrar(self) -> None:
        self._bucle.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def exportador(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Exportador]:
    if request.param == "sqlite":
        abierto = libro_sqlite(tmp_path / "datos")
    else:
        servidor: ServidorDePrueba = request.getfixturevalue("servidor_postgresql")
        abierto = libro_postgresql(servidor.base_nueva())  # type: ignore[assignment]
    carpeta = tmp_path / "salida"
    carpeta.mkdir()
    with abierto as (unidad, lecturas):
        nuevo = Exportador(unidad, lecturas, carpeta)
        yield nuevo
        nuevo.cerrar()


def ventas(cuantas: int) -> list[Conversion]:
    return [
        conversion(
            id=f"c-{n}",
            campaña_id=f"cmp-{n % 3}",
            valor=Decimal(n),
            user_agent='=1+1, "comillas"\n',
            propiedades={"clave": f"valor {n}"},
        )
        for n in range(cuantas)
    ]


def como_en_la_api(conversiones: list[Conversion]) -> list[Any]:
    return [json.loads(en_json(CONVERSIONES.recurso(evento)), parse_float=str) for evento in conversiones]


def filas_del_csv(octetos: bytes) -> list[dict[str, str]]:
    filas = csv.DictReader(octetos.decode().splitlines(keepends=True), strict=True)
    return [{nombre: sin_proteger(celda) for nombre, celda in fila.items()} for fila in filas]


def test_ndjson_dice_cada_evento_como_la_api_por_orden_de_llegada(exportador: Exportador) -> None:
    exportador.agregar(*ventas(9))
    assert exportador.exportar("a.ndjson") == 9
    lineas = exportador.octetos("a.ndjson").splitlines()
    assert [json.loads(linea, parse_float=str) for linea in lineas] == como_en_la_api(ventas(9))
    assert [ruta.name for ruta in exportador.carpeta.iterdir()] == ["a.ndjson"]


def test_csv_dice_lo_mismo_con_una_columna_por_campo(exportador: Exportador) -> None:
    exportador.agregar(*ventas(9))
    assert exportador.exportar("a.csv") == 9
    filas = filas_del_csv(exportador.octetos("a.csv"))
    assert list(filas[0]) == list(columnas(CONVERSIONES.forma))
    assert [fila["id"] for fila in filas] == [f"c-{n}" for n in range(9)]
    assert filas[3]["user_agent"] == '=1+1, "comillas"\ufffd'
    assert filas[3]["propiedades"] == '{"clave":"valor 3"}'


def test_parquet_dice_lo_mismo_con_tipos(exportador: Exportador) -> None:
    sin_nada = conversion(id="x", tipo_conversion="OTRA", valor=None, moneda=None, timestamp=None)
    exportador.agregar(*ventas(9), sin_nada)
    assert exportador.exportar("a.parquet") == 10
    tabla = parquet.read_table(exportador.carpeta / "a.parquet")
    tipos = {campo.name: str(campo.type) for campo in tabla.schema}
    assert tipos["valor"] == "decimal128(19, 4)"
    assert tipos["ocurrido_en"] == "timestamp[us, tz=UTC]"
    assert tipos["tipo_conversion"] == "dictionary<values=string, indices=int32, ordered=0>"
    assert tipos["propiedades"].startswith("map<string, string")
    filas = tabla.to_pylist()
    for fila, evento in zip(filas, [*ventas(9), sin_nada], strict=True):
        campos = {**evento.campos(), "advertencias": list(evento.advertencias)}
        assert {**fila, "propiedades": dict(fila["propiedades"])} == campos


def test_la_lectura_dice_lo_mismo_en_los_tres_formatos(exportador: Exportador) -> None:
    leida, sin_leer = ventas(2)
    exportador.agregar(replace(leida, lectura=LECTURA), sin_leer)
    for formato in FORMATOS:
        assert exportador.exportar(f"a.{formato}") == 2
    lineas = [json.loads(linea)["lectura"] for linea in exportador.octetos("a.ndjson").splitlines()]
    assert lineas == [json.loads(en_json(LECTURA)), None]
    assert [
        fila["lectura"] for fila in parquet.read_table(exportador.carpeta / "a.parquet").to_pylist()
    ] == lineas
    del_csv = [fila["lectura"] for fila in filas_del_csv(exportador.octetos("a.csv"))]
    assert [json.loads(celda) if celda else None for celda in del_csv] == lineas


@pytest.mark.parametrize("formato", FORMATOS)
def test_muera_donde_muera_al_repetirla_el_archivo_es_el_mismo(exportador: Exportador, formato: str) -> None:
    exportador.agregar(*ventas(10))
    exportador.exportar(f"entera.{formato}", campaña_id="cmp-1")
    lecturas = exportador.consultas
    for muere_en in range(1, lecturas + 1):
        nombre = f"{muere_en}.{formato}"
        exportador.consultas, exportador.muere_en = 0, muere_en
        with pytest.raises(Muerte):
            exportador.exportar(nombre, campaña_id="cmp-1")
        exportador.muere_en = -1
        assert not (exportador.carpeta / nombre).exists()
        if parte := next(exportador.carpeta.glob("*.parte"), None):
            # Lo que llegó a escribirse sin anotarse.
            with parte.open("ab") as archivo:
                archivo.write(b"a medias")
        assert exportador.exportar(nombre, campaña_id="cmp-1") == 3
        assert exportador.octetos(nombre) == exportador.octetos(f"entera.{formato}")
    assert not list(exportador.carpeta.glob("*.parte*"))


def test_la_que_sigue_no_incluye_lo_que_llego_despues_de_empezar(exportador: Exportador) -> None:
    exportador.agregar(*ventas(6))
    exportador.muere_en = 4
    with pytest.raises(Muerte):
        exportador.exportar("a.csv")
    exportador.agregar(conversion(id="tarde"))
    assert exportador.exportar("a.csv") == 6


@pytest.mark.parametrize("formato", FORMATOS)
def test_si_muere_con_el_archivo_ya_en_su_sitio_la_misma_orden_lo_da_por_hecho(
    exportador: Exportador, monkeypatch: pytest.MonkeyPatch, formato: str
) -> None:
    exportador.agregar(*ventas(6))

    def morir(_ruta: Path, **_opciones: object) -> None:
        raise Muerte

    with monkeypatch.context() as parche:
        parche.setattr(Path, "unlink", morir)
        with pytest.raises(Muerte):
            exportador.exportar(f"a.{formato}")
    assert exportador.exportar(f"a.{formato}") == 6
    assert [ruta.name for ruta in exportador.carpeta.iterdir()] == [f"a.{formato}"]


@pytest.mark.parametrize("formato", FORMATOS)
def test_dos_ordenes_no_siguen_a_la_vez_lo_que_otra_dejo_a_medias(
    exportador: Exportador, formato: str
) -> None:
    nombre = f"a.{formato}"
    exportador.agregar(*ventas(9))
    exportador.exportar(f"entera.{formato}")
    exportador.consultas, exportador.muere_en = 0, 5
    with pytest.raises(Muerte):
        exportador.exportar(nombre)
    halladas: list[str] = []

    def otra_orden() -> None:
        try:
            exportador.exportar(nombre)
        except NoSePuedeExportar as impedimento:
            halladas.append(str(impedimento))

    exportador.al_leer = otra_orden
    assert exportador.exportar(nombre) == 9
    assert halladas == ["otra orden lo está escribiendo ahora mismo"]
    assert exportador.octetos(nombre) == exportador.octetos(f"entera.{formato}")
    assert not list(exportador.carpeta.glob("*.parte*"))


def test_un_archivo_que_ya_esta_no_se_toca_salvo_que_se_pida(exportador: Exportador) -> None:
    (exportador.carpeta / "a.csv").write_text("mío", encoding="utf-8")
    exportador.agregar(*ventas(2))
    with pytest.raises(NoSePuedeExportar, match="ya existe"):
        exportador.exportar("a.csv")
    assert exportador.octetos("a.csv").decode() == "mío"
    assert [ruta.name for ruta in exportador.carpeta.iterdir()] == ["a.csv"]
    assert exportador.exportar("a.csv", reemplazar=True) == 2


def test_lo_que_otro_pedido_dejo_a_medias_no_se_mezcla(exportador: Exportador) -> None:
    exportador.agregar(*ventas(9))
    exportador.muere_en = 4
    with pytest.raises(Muerte):
        exportador.exportar("a.csv")
    with pytest.raises(NoSePuedeExportar, match="otros filtros"):
        exportador.exportar("a.csv", campaña_id="cmp-1")
    assert exportador.exportar("a.csv", campaña_id="cmp-1", reemplazar=True) == 3


def test_lo_que_se_leyo_de_un_libro_que_ya_no_es_no_se_sigue(tmp_path: Path) -> None:
    salida = tmp_path / "salida"
    salida.mkdir()
    for carpeta, mueren in (("uno", True), ("otro", False)):
        with libro_sqlite(tmp_path / carpeta) as abierto:
            exportador = Exportador(*abierto, salida)
            exportador.agregar(*ventas(9))
            if mueren:
                exportador.muere_en = 4
                with pytest.raises(Muerte):
                    exportador.exportar("a.csv")
            else:
                with pytest.raises(NoSePuedeExportar, match="otra base de datos"):
                    exportador.exportar("a.csv")
            exportador.cerrar()


def test_si_en_el_archivo_no_estan_las_filas_del_libro_no_se_da_por_bueno(tmp_path: Path) -> None:
    with libro_sqlite(tmp_path / "datos") as abierto:
        exportador = Exportador(*abierto, tmp_path)
        exportador.agregar(*ventas(9))
        exportador.muere_en = 5
        with pytest.raises(Muerte):
            exportador.exportar("a.csv")
        exportador.muere_en = -1
        sql(tmp_path / "datos", "DELETE FROM conversiones WHERE id = 'c-0'")
        with pytest.raises(NoCuadra, match="9 filas en el archivo y 8 en el libro"):
            exportador.exportar("a.csv")
        assert not (tmp_path / "a.csv").exists()
        exportador.cerrar()


def test_si_no_se_sabe_hasta_donde_esta_todo_no_se_exporta_nada(
    exportador: Exportador, monkeypatch: pytest.MonkeyPatch
) -> None:
    exportador.agregar(*ventas(2))
    # Es lo que responde una réplica de PostgreSQL.
    monkeypatch.setattr(CorrienteSQL, "frontera", lambda _corriente: 0)
    with pytest.raises(NoSePuedeExportar, match="réplica"):
        exportador.exportar("a.csv")
    assert not (exportador.carpeta / "a.csv").exists()


def test_un_libro_que_todavia_no_existe_da_un_archivo_sin_filas(tmp_path: Path) -> None:
    with libro_sqlite(tmp_path / "datos") as abierto:
        exportador = Exportador(*abierto, tmp_path)
        for formato in FORMATOS:
            assert exportador.exportar(f"a.{formato}") == 0
        assert parquet.read_table(tmp_path / "a.parquet").num_rows == 0
        exportador.cerrar()


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=30)
@given(st.lists(comandos_de_conversion(), min_size=1, max_size=6, unique_by=lambda comando: comando.id))
def test_csv_ndjson_y_parquet_dicen_lo_mismo_de_cualquier_evento(
    tmp_path_factory: pytest.TempPathFactory, comandos: list[Any]
) -> None:
    carpeta = tmp_path_factory.mktemp("propiedad")
    eventos = [conversion(comando, comando_id=str(n)) for n, comando in enumerate(comandos)]
    with libro_sqlite(carpeta / "datos") as abierto:
        exportador = Exportador(*abierto, carpeta)
        exportador.agregar(*eventos)
        for formato in FORMATOS:
            assert exportador.exportar(f"a.{formato}") == len({evento.id for evento in eventos})
        exportador.cerrar()
    tabla = parquet.read_table(carpeta / "a.parquet").to_pylist()
    lineas = [json.loads(linea, parse_float=Decimal) for linea in exportador.octetos("a.ndjson").splitlines()]
    for de_parquet, de_json, de_csv in zip(
        tabla, lineas, filas_del_csv(exportador.octetos("a.csv")), strict=True
    ):
        assert dict(de_parquet["propiedades"]) == de_json["propiedades"] == json.loads(de_csv["propiedades"])
        assert de_parquet["advertencias"] == de_json["advertencias"]
        assert de_parquet["valor"] == (None if de_json["valor"] is None else Decimal(de_csv["valor"]))
        for nombre in ("id", "campaña_id", "influencer_id", "usuario_id", "cupon", "user_agent", "moneda"):
            assert (de_parquet[nombre] or "") == (de_json[nombre] or "") == de_csv[nombre]


def test_lo_que_no_cabe_en_una_sola_lectura_se_cuenta_entero(exportador: Exportador) -> None:
    exportador.agregar(*ventas(9))
    desde = AHORA - timedelta(days=1)
    assert exportador.exportar("a.ndjson", campaña_id="cmp-2", desde=desde) == 3

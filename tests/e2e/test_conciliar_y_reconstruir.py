"""Conciliar y reconstruir sobre el servicio de verdad: lo que dicen los tópicos contra lo que dice el libro.

Los mensajes son los de la prueba de muerte (repetidos, en conflicto, rechazados, ilegibles), más los que no
tienen `ce_id`, los que comparten uno y las cartas reinyectadas.
"""

import json
import signal
import subprocess
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pulsar
import pytest
from sqlalchemy import Table, select

from alpespartners.modulos.tracking.aplicacion.comandos import Comando
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.libro.tablas import conversiones, impresiones
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS, sobre_de_comando
from tests.apoyo import base_datos, postgresql
from tests.apoyo.cuentas import TABLAS, sumadas
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import CONVERSION, IMPRESION
from tests.apoyo.postgresql import ServidorDePrueba
from tests.apoyo.pulsar_apache import ServidorApache, mensajes_de_apache
from tests.apoyo.servicio import BINARIOS, Instalacion, instalacion
from tests.muerte.ajeno import Ajeno
from tests.muerte.auditoria import Auditado, embebida, esperar_calma
from tests.muerte.carga import Carga
from tests.muerte.libro import TOPICOS as CLASES
from tests.muerte.libro import libro_postgresql

# Lo único que no está en ningún tópico: cuándo se decidió un destino, en qué orden llegaron los eventos y la
# historia de la bandeja de salida.
DESTINOS = (
    "SELECT topico, comando_id, huella, evento_id, estado, motivo, detalle, campos, original, recibido_en"
    " FROM destinos ORDER BY 1, 2, 3"
)
BALANCE = (
    "SELECT topico, estado, motivo, sum(cuantos) FROM balance WHERE topico <> 'bandeja_salida'"
    " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
HASTA = (
    "SELECT topico, max(procesado_hasta) FROM balance WHERE topico <> 'bandeja_salida' GROUP BY 1 ORDER BY 1"
)
HUELLA_DE = "(SELECT huella FROM conversiones WHERE comando_id = '{}')"
IMPRESIONES = f"topico = '{COMANDO_REGISTRAR_IMPRESION}'"
CONVERSIONES = f"topico = '{COMANDO_REGISTRAR_CONVERSION}'"
PUBLICADOS = (
    EVENTO_IMPRESION_REGISTRADA,
    EVENTO_CONVERSION_REGISTRADA,
    COMANDO_REGISTRAR_IMPRESION + SUFIJO_CARTAS,
    COMANDO_REGISTRAR_CONVERSION + SUFIJO_CARTAS,
)


def _eventos(tabla: Table) -> str:
    de_cada_libro = ("secuencia", "carril")
    suyas = (columna for columna in tabla.c if columna.name not in de_cada_libro)
    return str(select(*suyas).order_by(tabla.c.id))


@dataclass
class Montaje:
    """Un servicio en marcha, su broker y su base de datos."""

    servicio: Instalacion
    auditado: Auditado
    broker: Callable[[], str]
    espacio: str
    sql: Callable[[str], Sequence[Sequence[object]]]
    proceso: "subprocess.Popen[bytes]" = field(init=False)

    def iniciar(self) -> None:
        self.proceso = self.servicio.iniciar()
        hasta(
            lambda: self.servicio.lista() and self.servicio.http.get("/salud/lista").json()["consumidores"],
            60,
        )

    def parar(self) -> None:
        self.proceso.send_signal(signal.SIGTERM)
        self.proceso.wait(60)

    def matar_reconstruyendo(self) -> None:
        """Empieza a reconstruir y lo mata con -9 en cuanto hay algo escrito."""
        proceso = self.servicio.lanzar([str(BINARIOS / "alpespartners"), "reconstruir"])
        hasta(lambda: self.auditado.libro.registrados("impresiones"), 30, 0.01)
        proceso.kill()
        proceso.wait()
        assert not self.auditado.libro.balance("impresiones")

    def conciliar(self, *opciones: str) -> tuple[int, str]:
        dicho = self.servicio.orden("conciliar", "--espera", "0", "--margen", "0", *opciones)
        return dicho.returncode, dicho.stdout + dicho.stderr

    def recontar(self, *opciones: str) -> tuple[int, str]:
        dicho = self.servicio.orden("recontar", *opciones)
        return dicho.returncode, (dicho.stdout + dicho.stderr).rstrip()

    def registrados(self) -> int:
        return sum(len(self._filas(f"SELECT id FROM {tabla}")) for tabla in ("impresiones", "conversiones"))  # noqa: S608 (son las suyas)

    def volcar(self) -> dict[str, list[list[str]]]:
        return {
            "impresiones": self._filas(_eventos(impresiones)),
            "conversiones": self._filas(_eventos(conversiones)),
            "destinos": self._filas(DESTINOS),
            "balance": self._filas(BALANCE),
            "hasta": self._filas(HASTA),
            **{tabla: self._filas(sumadas(tabla)) for tabla in TABLAS},
        }

    def _filas(self, consulta: str) -> list[list[str]]:
        return [[str(dato) for dato in fila] for fila in self.sql(consulta)]

    def publicados(self) -> dict[str, int]:
        return {topico: len(self.auditado.mensajes(topico)) for topico in PUBLICADOS}

    def pasa_de_todo(self) -> None:
        """Hace pasar por el servicio mensajes de todas las clases, y vuelve cuando está en calma."""
        carga = Carga([self.servicio.puerto], semilla=7)
        ajeno = Ajeno(self.broker(), self.espacio, semilla=7)
        carga.empezar()
        ajeno.empezar()
        try:
            hasta(lambda: len(carga.aceptados) >= 400 and len(ajeno.publicados) >= 20, 90)
        finally:
            carga.terminar()
            ajeno.terminar()
        esperar_calma(self.auditado, carga)
        asentados = self._asentados()
        nuevos = self._publicar_rarezas()
        reinyectadas = self.servicio.orden("cartas", "reinyectar", "impresion", "--todas").stdout
        nuevos += int(reinyectadas.split()[0])
        hasta(lambda: self._asentados() == asentados + nuevos)
        hasta(lambda: not self.auditado.libro.envios_pendientes())

    def _asentados(self) -> int:
        return sum(sum(self.auditado.libro.balance(clase).values()) for clase in CLASES)

    def _publicar_rarezas(self) -> int:
        """Uno sin `ce_id` ni `id`, y cuatro contenidos con un mismo `ce_id`; dice cuántos son."""
        cliente = pulsar.Client(
            self.broker(), logger=pulsar.FileLogger(pulsar.LoggerLevel.Error, "/dev/null")
        )
        rarezas: list[tuple[Comando, str]] = [
            (replace(IMPRESION, id=None), ""),
            (replace(IMPRESION, id="doble-1"), "doble"),
            (replace(IMPRESION, id="doble-2"), "doble"),
            (replace(IMPRESION, id="doble-1", advertencias=("ip_ilegible",)), "doble"),
            (replace(CONVERSION, id="doble-1"), "doble"),
        ]
        try:
            for comando, comando_id in rarezas:
                sobre = sobre_de_comando(comando, comando_id, None)
                productor = cliente.create_producer(f"persistent://{self.espacio}/{sobre.topico}")
                propiedades = {n: v for n, v in sobre.propiedades.items() if v}
                productor.send(sobre.carga, properties=propiedades, partition_key=sobre.clave)
        finally:
            cliente.close()
        return len(rarezas)


@pytest.fixture
def portatil(tmp_path: Path) -> Generator[Montaje]:
    """El broker embebido y SQLite."""
    with instalacion(tmp_path) as servicio:

        def broker() -> str:
            puerto = json.loads((servicio.datos / "broker.json").read_text(encoding="utf-8"))["puerto"]
            return f"pulsar://127.0.0.1:{puerto}"

        yield Montaje(
            servicio, embebida(servicio), broker, "public/default", partial(base_datos.sql, servicio.datos)
        )


@pytest.fixture
def empresa(
    tmp_path: Path, pulsar_apache: ServidorApache, servidor_postgresql: ServidorDePrueba
) -> Generator[Montaje]:
    """Apache Pulsar y PostgreSQL."""
    pulsar_apache.arrancar_si_falta()
    url, espacio = servidor_postgresql.base_nueva(), pulsar_apache.espacio_nuevo()
    ajustes = {
        "ALPES_PULSAR_URL": pulsar_apache.url,
        "ALPES_PULSAR_ADMIN": pulsar_apache.admin,
        "ALPES_PULSAR_ESPACIO": espacio,
    }
    with instalacion(tmp_path, ALPES_BASE_DATOS=url, **ajustes) as servicio:
        mensajes = partial(mensajes_de_apache, pulsar_apache.url, espacio)
        auditado = Auditado(libro_postgresql(url), servicio.http, mensajes)
        yield Montaje(servicio, auditado, lambda: pulsar_apache.url, espacio, partial(postgresql.sql, url))


def test_conciliar_nombra_lo_que_falta_lo_que_sobra_y_lo_que_cambio(portatil: Montaje) -> None:
    portatil.iniciar()
    portatil.pasa_de_todo()
    codigo, dicho = portatil.conciliar()
    assert (codigo, "0 discrepancias." in dicho) == (0, True), dicho
    portatil.parar()

    sql = portatil.sql
    ((fila, suyo),) = sql("SELECT id, comando_id FROM impresiones ORDER BY recibido_en LIMIT 1")
    # De impresiones: más abajo sobra un destino de conversiones, que en el balance haría las veces de este.
    ((olvidado,),) = sql(
        f"SELECT comando_id FROM destinos WHERE estado = 'DUPLICADA' AND {IMPRESIONES} LIMIT 1"  # noqa: S608
    )
    ((cara,),) = sql("SELECT id FROM conversiones WHERE valor > 0 LIMIT 1")
    ((doble,),) = sql("SELECT comando_id FROM conversiones ORDER BY id LIMIT 1")
    sql(f"DELETE FROM impresiones WHERE id = '{fila}'")  # noqa: S608 (son suyos)
    sql(f"DELETE FROM destinos WHERE comando_id = '{olvidado}'")  # noqa: S608
    sql(f"UPDATE conversiones SET valor = valor + 10000 WHERE id = '{cara}'")  # noqa: S608
    _copiar(sql, "destinos", {"comando_id": f"'{doble}'", "huella": HUELLA_DE.format(doble)}, CONVERSIONES)
    _copiar(sql, "impresiones", {"id": "'inventada'", "comando_id": "'c-inventado'"}, "recibido_en")
    codigo, dicho = portatil.conciliar()
    assert codigo == 1
    for tipo, dato in (
        ("comando sin destino", f"comando_id {suyo}"),
        ("evento publicado sin fila", f"id {fila}"),
        ("comando sin destino", f"comando_id {olvidado}"),
        ("evento que no dice lo que su fila", f"id {cara}"),
        ("comando con más de un destino", f"comando_id {doble}"),
        ("destino sin comando", "comando_id c-inventado"),
        ("fila sin evento publicado", "id inventada"),
        ("cuenta del balance que no es la de las tablas", "DUPLICADA"),
    ):
        assert any(linea.startswith(tipo) and dato in linea for linea in dicho.splitlines()), (tipo, dicho)

    sql("UPDATE impresiones SET tipo_evento = 'OTRO' WHERE id = 'inventada'")
    codigo, dicho = portatil.conciliar()
    assert (codigo, "c-inventado tiene tipo_evento = 'OTRO'" in dicho) == (2, True), dicho


@pytest.mark.parametrize("montaje", ["portatil", "empresa"])
def test_recontar_halla_y_corrige_con_el_servicio_en_marcha(
    montaje: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    suyo: Montaje = request.getfixturevalue(montaje)
    suyo.iniciar()
    suyo.pasa_de_todo()
    antes = suyo.volcar()
    assert suyo.recontar() == (0, f"{suyo.registrados()} eventos contados: 0 diferencias.")
    assert suyo.conciliar()[0] == 0

    suyo.sql("UPDATE cuentas_por_dia SET cuantos = cuantos + 2 WHERE tipo = 'VENTA'")
    suyo.sql("DELETE FROM cuentas_por_influencer WHERE tipo = 'CLIC'")
    # Ni uno más ni uno menos: solo cambia lo que valen.
    suyo.sql("UPDATE cuentas_por_tramo SET valor_bajo = valor_bajo + 1 WHERE tipo = 'VENTA'")
    suyo.sql("UPDATE usuarios_por_dia SET eventos = eventos + 1")
    en_json = tmp_path / "diferencias.jsonl"
    codigo, dicho = suyo.conciliar("--json", str(en_json))
    assert (codigo, "Las de los informes las corrige `.venv/bin/alpespartners recontar`." in dicho) == (
        1,
        True,
    ), dicho
    hallazgos = [json.loads(linea) for linea in en_json.read_text(encoding="utf-8").splitlines()]
    assert {hallazgo["tipo"] for hallazgo in hallazgos} == {
        "cuenta de los informes que no es la de las filas"
    }
    assert {hallazgo["detalle"].partition(":")[0] for hallazgo in hallazgos} == {
        "cuentas_por_tramo",
        "cuentas_por_dia",
        "cuentas_por_influencer",
        "usuarios_por_dia",
    }

    codigo, comparado = suyo.recontar("--solo-comparar", "--json", str(en_json))
    diferencias = [json.loads(linea) for linea in en_json.read_text(encoding="utf-8").splitlines()]
    assert {(d["tabla"], d.get("tipo")) for d in diferencias} == {
        ("cuentas_por_tramo", "VENTA"),
        ("usuarios_por_dia", None),
        ("cuentas_por_dia", "VENTA"),
        ("cuentas_por_influencer", "CLIC"),
    }
    total = f"{suyo.registrados()} eventos contados: {len(diferencias)} diferencias"
    assert (codigo, comparado.splitlines()[-1]) == (1, f"{total}, 0 corregidas."), comparado
    assert "contados " in comparado.splitlines()[0]

    codigo, corregido = suyo.recontar()
    assert (codigo, corregido.splitlines()[-1]) == (1, f"{total}, corregidas."), corregido
    assert suyo.volcar() == antes
    assert suyo.recontar()[0] == 0
    assert suyo.conciliar()[0] == 0

    suyo.parar()
    assert suyo.recontar()[0] == 0


def _copiar(
    sql: Callable[[str], Sequence[Sequence[object]]], tabla: str, otros: dict[str, str], orden: str
) -> None:
    """Añade a la tabla una copia de una fila suya, con esos otros valores."""
    nombres = [str(columna[1]) for columna in sql(f"PRAGMA table_info({tabla})")]
    otros = {"secuencia": f"(SELECT 1 + max(secuencia) FROM {tabla})", **otros}  # noqa: S608 (ídem)
    valores = ", ".join(otros.get(nombre, nombre) for nombre in nombres)
    sql(f"INSERT INTO {tabla} SELECT {valores} FROM {tabla} ORDER BY {orden} DESC LIMIT 1")  # noqa: S608


@pytest.mark.parametrize("montaje", ["portatil", "empresa"])
def test_lo_reconstruido_es_fila_por_fila_lo_que_habia(montaje: str, request: pytest.FixtureRequest) -> None:
    suyo: Montaje = request.getfixturevalue(montaje)
    suyo.iniciar()
    suyo.pasa_de_todo()
    en_marcha = suyo.servicio.orden("reconstruir")
    assert en_marcha.returncode != 0
    assert "consumidores" in en_marcha.stderr
    suyo.parar()
    antes, publicados = suyo.volcar(), suyo.publicados()
    for tabla in ("destinos", "impresiones", "conversiones", *TABLAS):
        assert antes[tabla]
    llena = suyo.servicio.orden("reconstruir")
    assert llena.returncode != 0
    assert "no está vacía" in llena.stderr

    propias = ("impresiones", "conversiones", "destinos", "balance", "bandeja_salida", "carriles")
    for tabla in (*propias, *TABLAS):
        suyo.sql(f"DELETE FROM {tabla}")  # noqa: S608 (son las suyas)
    suyo.matar_reconstruyendo()
    hecho = suyo.servicio.orden("reconstruir")
    assert hecho.returncode == 0, hecho.stderr
    despues = suyo.volcar()
    for tabla, filas in antes.items():
        assert despues[tabla] == filas, tabla
    codigo, dicho = suyo.conciliar()
    assert codigo == 0, dicho

    suyo.iniciar()
    respuesta = suyo.servicio.http.post(
        "/tracking/impresiones",
        json={"id": "última", "campaña_id": "c"},
        headers={"Prefer": "wait=10"},
        timeout=30,
    )
    assert respuesta.status_code == 201
    suyo.parar()
    assert suyo.publicados() == publicados | {
        EVENTO_IMPRESION_REGISTRADA: publicados[EVENTO_IMPRESION_REGISTRADA] + 1
    }

"""La auditoría: lo prometido contra la base de datos, los tópicos y lo que la API responde.

Qué es: cada discrepancia, con su nombre; ninguna es que todo cuadra.
Qué no es: `alpespartners conciliar`; aquí se sabe además qué se envió y qué se aceptó.
Por qué existe: que los procesos vuelvan no dice que los números estén bien.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import httpx2

from alpespartners.modulos.tracking.aplicacion.topicos import (
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Ilegible, Rechazada, Registrada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import SUFIJO_CARTAS
from tests.apoyo.espera import hasta
from tests.apoyo.lector import mensajes_del_topico
from tests.apoyo.servicio import Instalacion
from tests.muerte.carga import Aceptado, Carga
from tests.muerte.envios import CONVERSIONES, IMPRESIONES, Envio
from tests.muerte.libro import TOPICOS, Asiento, Libro, libro_sqlite

_EVENTOS: Final = {
    IMPRESIONES: EVENTO_IMPRESION_REGISTRADA,
    CONVERSIONES: EVENTO_CONVERSION_REGISTRADA,
}
_LIMITE_DE_VACIADO: Final = 90.0


@dataclass(frozen=True, slots=True)
class Auditado:
    """Dónde mirar.

    Attributes:
        libro: la base de datos.
        http: un cliente de una de las APIs.
        mensajes: todo lo que guarda un tópico, dado su nombre corto.
    """

    libro: Libro
    http: httpx2.Client
    mensajes: Callable[[str], list[Any]]


def embebida(instalacion: Instalacion) -> Auditado:
    """Una instalación con el broker embebido y SQLite."""
    return Auditado(
        libro_sqlite(instalacion.datos), instalacion.http, partial(mensajes_del_topico, instalacion.datos)
    )


@dataclass(slots=True)
class Auditoria:
    """Lo que se encontró.

    Attributes:
        discrepancias: las faltas, cada una con el `id` o la identidad de que se trata.
        cuentas: lo contado de cada clase, para quien lee el informe.
    """

    discrepancias: list[str] = field(default_factory=list)
    cuentas: dict[str, dict[str, int]] = field(default_factory=dict)

    def exigir(self, que: str, faltas: Iterable[object]) -> None:
        """Anota una discrepancia por cada falta."""
        self.discrepancias += [f"{que}: {falta}" for falta in sorted(map(str, faltas))]


def esperar_calma(auditado: Auditado, carga: Carga) -> None:
    """Espera a que todo comando de los tópicos tenga destino y no quede nada por publicar."""
    libro = auditado.libro
    hasta(
        lambda: not libro.sin_destino(carga.aceptados) and not libro.envios_pendientes(),
        _LIMITE_DE_VACIADO,
        cada=0.5,
    )
    hasta(lambda: not auditado.http.get("/tracking/balance").json()["clics_en_espera"], _LIMITE_DE_VACIADO)
    # Lo que ningún 202 confirmó pudo guardarse igual, y también tiene que acabar en algo.
    publicados = {clase: len(set(_identidades(auditado, topico))) for clase, topico in TOPICOS.items()}
    hasta(
        lambda: (
            all(sum(libro.balance(clase).values()) >= cuantos for clase, cuantos in publicados.items())
            and not libro.envios_pendientes()
        ),
        _LIMITE_DE_VACIADO,
        cada=0.5,
    )


def auditar(
    auditado: Auditado, carga: Carga, ajenos: Mapping[tuple[str, str], str] | None = None
) -> Auditoria:
    """Compara todo con todo; el servicio está en marcha y en calma.

    Args:
        auditado: el que se audita.
        carga: lo que enviaron sus clientes, que ya terminaron.
        ajenos: por tópico e identidad, el estado en que debía acabar lo que otros publicaron.
    """
    libro = auditado.libro
    auditoria = Auditoria()
    auditoria.exigir("respuesta que nadie esperaba", carga.sorpresas)
    if pendientes := libro.envios_pendientes():
        auditoria.exigir("la bandeja de salida no está vacía", [pendientes])
    ilegibles: set[str] = set()
    for clase in TOPICOS:
        asientos = libro.asientos(clase)
        ilegibles |= {a.comando_id for a in asientos if a.estado == Ilegible.estado}
        suyos = {
            identidad: estado for (t, identidad), estado in (ajenos or {}).items() if t == TOPICOS[clase]
        }
        _auditar_clase(clase, auditado, carga, suyos, asientos, auditoria)
    cartas = {
        mensaje.properties()["alpes_comando_id"]
        for topico in TOPICOS.values()
        for mensaje in auditado.mensajes(topico + SUFIJO_CARTAS)
    }
    auditoria.exigir("las cuentas de los informes no son las filas", libro.cuentas_equivocadas())
    auditoria.exigir("ilegible sin carta muerta", ilegibles - cartas)
    auditoria.exigir("carta muerta de más", cartas - ilegibles)
    return auditoria


def _auditar_clase(
    clase: str,
    auditado: Auditado,
    carga: Carga,
    ajenos: Mapping[str, str],
    asientos: list[Asiento],
    auditoria: Auditoria,
) -> None:
    libro = auditado.libro
    filas = libro.registrados(clase)
    destinos = Counter([comando for _, comando in filas]) + Counter(a.comando_id for a in asientos)
    aceptados = [aceptado for aceptado in carga.aceptados if aceptado.envio.clase == clase]
    publicados = _identidades(auditado, TOPICOS[clase])
    eventos = _eventos(auditado, clase)
    cuentas = Counter({(Registrada.estado, None): len(filas)}) + Counter(
        (a.estado, a.motivo) for a in asientos
    )

    def exigir(que: str, faltas: Iterable[object]) -> None:
        auditoria.exigir(f"{clase}: {que}", faltas)

    prometidos = Counter([a.comando_id for a in aceptados]) + Counter(ajenos.keys())
    exigir("comando_id dado dos veces", [c for c, veces in prometidos.items() if veces > 1])
    exigir("aceptado sin destino", prometidos.keys() - destinos.keys())
    exigir("más de un destino", [c for c, veces in destinos.items() if veces > 1])
    exigir("id con más de una fila", [i for i, veces in Counter(i for i, _ in filas).items() if veces > 1])
    exigir("aceptado que no está en su tópico", prometidos.keys() - publicados.keys())
    exigir("comando del tópico sin destino", publicados.keys() - destinos.keys())
    exigir("destino de un comando que no está en su tópico", destinos.keys() - publicados.keys())
    exigir("fila sin evento", {i for i, _ in filas} - eventos.keys())
    exigir("evento sin fila", eventos.keys() - {i for i, _ in filas})
    exigir("eventos distintos de un mismo id", [i for i, distintos in eventos.items() if len(distintos) > 1])
    exigir(
        "registrado aunque era inválido",
        {i for i, _ in filas} & {i for c, i in carga.invalidos if c == clase},
    )
    if libro.balance(clase) != cuentas:
        exigir("el balance no es lo que hay en las tablas", [f"{libro.balance(clase)} ≠ {cuentas}"])
    _juzgar_destinos(exigir, aceptados, dict(filas), {a.comando_id: a for a in asientos}, ajenos)
    leidos = _leidos(auditado, clase)
    clics = {i for i, leido in leidos.items() if leido["clic_id"] == i}
    if clase == IMPRESIONES:
        exigir("clic de quien llegó que no está", set(carga.clics) - clics)
        exigir("clic dado dos veces", [i for i, veces in Counter(carga.clics).items() if veces > 1])
    exigir("fila que la API no lista, o lista sin fila", {i for i, _ in filas} ^ leidos.keys())
    enviados = {i: leido for i, leido in leidos.items() if i not in clics}
    _juzgar_contenidos(exigir, clase, aceptados, carga, enviados)
    auditoria.cuentas[clase] = {
        "202": len(aceptados),
        "comandos en el tópico": len(publicados),
        "mensajes en el tópico": sum(publicados.values()),
        "eventos publicados": len(eventos),
        "mensajes de eventos": sum(sum(distintos.values()) for distintos in eventos.values()),
        **{" ".join(filter(None, clave)): cuantos for clave, cuantos in sorted(cuentas.items(), key=str)},
    }


def _juzgar_destinos(
    exigir: Callable[[str, Iterable[object]], None],
    aceptados: list[Aceptado],
    comando_de: dict[str, str],
    asiento_de: dict[str, Asiento],
    ajenos: Mapping[str, str],
) -> None:
    """Cada destino tiene que ser el que corresponde a lo que se envió."""
    contenido_de = {aceptado.comando_id: aceptado.envio for aceptado in aceptados}
    equivocados = []
    for aceptado in aceptados:
        asiento = asiento_de.get(aceptado.comando_id)
        ganador = comando_de.get(aceptado.envio.id)
        if asiento is None:
            bien = ganador == aceptado.comando_id
        elif asiento.estado == Duplicada.estado:
            # Del que ganó puede no haber 202: su contenido se compara después con lo que lista la API.
            bien = asiento.original == ganador and contenido_de.get(ganador or "") in (None, aceptado.envio)
        else:
            bien = (asiento.estado, asiento.motivo) == (Rechazada.estado, Codigo.CONFLICTO_DE_ID) and (
                contenido_de.get(ganador or "") != aceptado.envio
            )
        if not bien:
            equivocados.append(f"{aceptado.envio.id} {aceptado.comando_id} {asiento}")
    exigir("destino equivocado", equivocados)
    exigir(
        "ajeno con otro destino",
        [i for i, estado in ajenos.items() if i not in asiento_de or asiento_de[i].estado != estado],
    )


def _juzgar_contenidos(
    exigir: Callable[[str, Iterable[object]], None],
    clase: str,
    aceptados: list[Aceptado],
    carga: Carga,
    leidos: dict[str, dict[str, Any]],
) -> None:
    """Lo leído es lo enviado con ese comando o, si nadie vio su 202, algo que se envió con ese `id`."""
    por_comando = {aceptado.comando_id: aceptado.envio for aceptado in aceptados}
    distintas = []
    for id_evento, leido in leidos.items():
        seguro = por_comando.get(leido["comando_id"])
        posibles = carga.intentados.get((clase, id_evento), []) if seguro is None else [seguro]
        if not any(_dice(leido, envio) for envio in posibles):
            distintas.append(f"{leido} ≠ {posibles}")
    exigir("fila con otro contenido", distintas)


def _dice(leido: dict[str, Any], envio: Envio) -> bool:
    return all(leido[campo] == valor for campo, valor in envio.campos)


def _identidades(auditado: Auditado, topico: str) -> Counter[str]:
    """Los comandos de un tópico por su `ce_id`, y cuántas veces guardó el broker cada uno."""
    return Counter(mensaje.properties()["ce_id"] for mensaje in auditado.mensajes(topico))


def _eventos(auditado: Auditado, clase: str) -> dict[str, Counter[str]]:
    """Por `id`, los eventos de dominio distintos (por su `ce_id`) y cuántas veces está cada uno."""
    eventos: dict[str, Counter[str]] = {}
    for mensaje in auditado.mensajes(_EVENTOS[clase]):
        propiedades = mensaje.properties()
        eventos.setdefault(propiedades["ce_subject"], Counter())[propiedades["ce_id"]] += 1
    return eventos


def _leidos(auditado: Auditado, clase: str) -> dict[str, dict[str, Any]]:
    """Todo lo que listan las campañas, con los números como texto: así se comparan sus cifras."""
    leidos: dict[str, dict[str, Any]] = {}
    for numero in range(5):
        direccion: str | None = f"/tracking/campañas/cmp-{numero}/{clase}?limite=1000"
        while direccion is not None:
            respuesta = auditado.http.get(direccion)
            pagina = json.loads(respuesta.content, parse_float=str, parse_int=str)
            leidos |= {elemento["id"]: elemento for elemento in pagina["elementos"]}
            direccion = respuesta.links["next"]["url"] if pagina["siguiente"] else None
    return leidos

"""La lista de los destinos de todos los envíos, del último decidido al primero, por páginas.

Qué es: los filtros que se admiten y cómo se juntan, en un solo orden, los destinos anotados y las filas del
libro, que son el destino de lo registrado.
Qué no es: la historia de un `id` (`consultar_destino.py`), que va al revés y no dice qué se envió.
Por qué existe: por un 202 que no se registró quizá no pregunte nadie. Aquí se ve sin saber su `id`.

Cada clase y estado es una fuente, que su índice da ya en orden: de cada una se pide una página, y se mezclan.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.codigos import (
    MOTIVOS,
    MOTIVOS_DE_IGNORAR,
    CodigoDePeticion,
)
from alpespartners.modulos.tracking.aplicacion.consultas.cursores import (
    EPOCA,
    LIMITE_POR_OMISION,
    MICROSEGUNDO,
    atadura_de,
    cursor_en_texto,
    lector_de,
    limite_de,
    partes_del_cursor,
)
from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, IdentidadComando
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta, FiltroDestinos
from alpespartners.modulos.tracking.aplicacion.textos import instante_de_parametro
from alpespartners.modulos.tracking.dominio.destinos import (
    Destino,
    Duplicada,
    Ignorada,
    Ilegible,
    Rechazada,
    Registrada,
)
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.excepciones import CampoInvalido, Recolector
from alpespartners.modulos.tracking.dominio.objetos_valor import identificador
from alpespartners.modulos.tracking.dominio.repositorios import FiltroRegistro

ESTADOS: Final = tuple(destino.estado for destino in (Registrada, Duplicada, Rechazada, Ilegible, Ignorada))
PARAMETROS: Final = frozenset(
    {"limite", "cursor", "estado", "motivo", "clase", "campaña_id", "desde", "hasta"}
)

_VERSION_CURSOR: Final = 1
_CLASES_POR_NOMBRE: Final = {nombre: clase for clase in CLASES for nombre in (clase.nombre, clase.plural)}


class _Fuente(NamedTuple):
    """Los destinos de una clase en un estado."""

    clase: Clase
    estado: str

    @property
    def nombre(self) -> str:
        return f"{self.clase.nombre}/{self.estado}"


_FUENTES: Final = tuple(_Fuente(clase, estado) for clase in CLASES for estado in ESTADOS)
"""En su orden: a igual instante lo registrado es lo más antiguo, que lo demás se comparó con ello."""
_NUMEROS: Final = {fuente.nombre: numero for numero, fuente in enumerate(_FUENTES)}


class _Posicion(NamedTuple):
    """El lugar de un destino en la lista: cuándo se decidió, de qué fuente es y su clave en ella."""

    decidido_en: datetime
    fuente: int
    clave: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeticionDestinos:
    """Qué se pide: de qué fuentes, con qué filtros, desde dónde (`None`: desde lo más nuevo) y cuántos."""

    fuentes: Sequence[int]
    motivo: str | None
    campaña_id: str | None
    desde: datetime | None
    hasta: datetime | None
    despues_de: _Posicion | None
    limite: int
    atadura: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinoListado:
    """El destino de un comando, con lo que se envió en él.

    `enviado` va por el nombre de cada campo en el JSON, y es `None` si no se pudo descifrar o ya se olvidó.
    """

    clase: Clase
    evento_id: str | None
    comando_id: str
    recibido_en: datetime
    decidido_en: datetime
    destino: Destino
    campaña_id: str | None
    influencer_id: str | None
    enviado: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class PaginaDestinos:
    """Hasta `limite` destinos, del más nuevo al más antiguo, y el cursor de la siguiente si la hay."""

    elementos: list[DestinoListado]
    siguiente: str | None


def peticion_de_destinos(parametros: Mapping[str, str]) -> PeticionDestinos:
    """Lee los parámetros de la lista; todos son de los que admite.

    Raises:
        DatosInvalidos: con todas las faltas; el campo de cada una es el nombre del parámetro.
    """
    recolector = Recolector()
    leer = lector_de(parametros, recolector)
    estado = leer("estado", _uno_de, {estado: estado for estado in ESTADOS})
    motivo = leer("motivo", _uno_de, MOTIVOS | MOTIVOS_DE_IGNORAR)
    clase = leer("clase", _uno_de, _CLASES_POR_NOMBRE)
    campaña_id = leer("campaña_id", identificador)
    desde, hasta = leer("desde", instante_de_parametro), leer("hasta", instante_de_parametro)
    limite = leer("limite", limite_de) or LIMITE_POR_OMISION
    recolector.exigir()
    fuentes = [
        numero
        for numero, fuente in enumerate(_FUENTES)
        if clase in (None, fuente.clase)
        and estado in (None, fuente.estado)
        and (motivo is None or fuente.estado == _estado_con(motivo))
        # De lo que no se pudo descifrar no se sabe la campaña.
        and (campaña_id is None or fuente.estado != Ilegible.estado)
    ]
    filtro = ("destinos", estado, motivo, clase and clase.nombre, campaña_id, desde, hasta)
    atadura = atadura_de(filtro, PARAMETROS)
    despues_de = leer("cursor", _leer_cursor, atadura)
    recolector.exigir()
    return PeticionDestinos(
        fuentes=fuentes,
        motivo=motivo,
        campaña_id=campaña_id,
        desde=desde,
        hasta=hasta,
        despues_de=despues_de,
        limite=limite,
        atadura=atadura,
    )


def listar_destinos(consulta: Consulta, peticion: PeticionDestinos) -> PaginaDestinos:
    """Devuelve la página pedida; si nada cumple los filtros, vacía."""
    fuentes = [_de_la_fuente(consulta, peticion, fuente) for fuente in peticion.fuentes]
    mezcla = heapq.merge(*fuentes, key=lambda hallado: hallado[0], reverse=True)
    hallados = list(islice(mezcla, peticion.limite + 1))
    pagina = hallados[: peticion.limite]
    elementos = _completados(consulta, [listado for _, listado in pagina])
    if len(hallados) == len(pagina):
        return PaginaDestinos(elementos, None)
    return PaginaDestinos(elementos, _escribir_cursor(pagina[-1][0], peticion.atadura))


def _de_la_fuente(
    consulta: Consulta, peticion: PeticionDestinos, fuente: int
) -> Iterator[tuple[_Posicion, DestinoListado]]:
    """Los siguientes de una fuente, del más nuevo al más antiguo."""
    clase, estado = _FUENTES[fuente]
    hasta, anterior = peticion.hasta, None
    if (ultimo := peticion.despues_de) is not None:
        if fuente == ultimo.fuente:
            anterior = ultimo.clave
        # De lo decidido en su mismo instante, las fuentes mayores ya salieron y las menores faltan.
        fin = ultimo.decidido_en + (MICROSEGUNDO if fuente <= ultimo.fuente else timedelta())
        hasta = fin if hasta is None else min(hasta, fin)
    cuantos = peticion.limite + 1
    if estado == Registrada.estado:
        registro = FiltroRegistro(campaña_id=peticion.campaña_id, desde=peticion.desde, hasta=hasta)
        tras_evento = None if ultimo is None or anterior is None else (ultimo.decidido_en, anterior[0])
        for evento in consulta.eventos(clase).registrados(registro, tras_evento, cuantos):
            yield _Posicion(evento.registrado_en, fuente, (evento.id,)), _registrado(clase, evento)
        return
    filtro = FiltroDestinos(
        estado=estado,
        motivo=peticion.motivo,
        campaña_id=peticion.campaña_id,
        desde=peticion.desde,
        hasta=hasta,
    )
    tras_comando = None if ultimo is None or anterior is None else (ultimo.decidido_en, _identidad(anterior))
    for asiento in consulta.destinos.listar(clase.topico, filtro, tras_comando, cuantos):
        comando_id, huella = asiento.identidad
        lugar = _Posicion(asiento.decidido_en, fuente, (comando_id, huella.hex()))
        yield lugar, _anotado(clase, asiento)


def _registrado(clase: Clase, evento: EventoSeguido[Any]) -> DestinoListado:
    return DestinoListado(
        clase=clase,
        evento_id=evento.id,
        comando_id=evento.comando_id,
        recibido_en=evento.recibido_en,
        decidido_en=evento.registrado_en,
        destino=Registrada(),
        campaña_id=evento.contenido.campaña_id,
        influencer_id=evento.contenido.influencer_id,
        enviado=evento.contenido.campos(),
    )


def _anotado(clase: Clase, asiento: DestinoDeComando) -> DestinoListado:
    return DestinoListado(
        clase=clase,
        evento_id=asiento.evento_id,
        comando_id=asiento.identidad.comando_id,
        recibido_en=asiento.recibido_en,
        decidido_en=asiento.decidido_en,
        destino=asiento.destino,
        campaña_id=asiento.campaña_id,
        influencer_id=asiento.influencer_id,
        enviado=asiento.enviado,
    )


def _completados(consulta: Consulta, listados: Sequence[DestinoListado]) -> list[DestinoListado]:
    """Da a cada duplicado lo que se envió en él: lo de la fila que ya estaba, y aquello en que difiere."""
    repetidos: dict[Clase, set[str]] = {}
    for listado in listados:
        if isinstance(listado.destino, Duplicada) and listado.evento_id is not None:
            repetidos.setdefault(listado.clase, set()).add(listado.evento_id)
    filas = {clase: consulta.eventos(clase).obtener(ids) for clase, ids in repetidos.items()}

    def completado(listado: DestinoListado) -> DestinoListado:
        destino = listado.destino
        if not isinstance(destino, Duplicada) or (destino.difieren and listado.enviado is None):
            return listado
        original = filas.get(listado.clase, {}).get(listado.evento_id or "")
        if original is None:
            return listado
        return replace(listado, enviado={**original.contenido.campos(), **(listado.enviado or {})})

    return [completado(listado) for listado in listados]


def _estado_con(motivo: str) -> str:
    """El único que puede tener ese motivo."""
    return Ignorada.estado if motivo in MOTIVOS_DE_IGNORAR else Rechazada.estado


def _uno_de(nombre: str, texto: str, admitidos: Mapping[str, Any]) -> Any:
    por_letras = {admitido.casefold(): valor for admitido, valor in admitidos.items()}
    try:
        return por_letras[texto.casefold()]
    except KeyError:
        raise CampoInvalido(
            nombre, CodigoDePeticion.PARAMETRO_INVALIDO, f"debe ser uno de: {', '.join(admitidos)}"
        ) from None


def _escribir_cursor(lugar: _Posicion, atadura: str) -> str:
    micros = (lugar.decidido_en - EPOCA) // MICROSEGUNDO
    return cursor_en_texto(_VERSION_CURSOR, atadura, micros, _FUENTES[lugar.fuente].nombre, *lugar.clave)


def _leer_cursor(nombre: str, texto: str, atadura: str) -> _Posicion:
    """Lee una posición. Nadie firma un cursor: el que se escribe a mano no puede hacer fallar la consulta."""
    invalido = CampoInvalido(
        nombre, CodigoDePeticion.CURSOR_INVALIDO, "no es un cursor de esta lista con estos filtros"
    )
    match partes_del_cursor(texto):
        case [int(version), str(suya), int(micros), str(de_fuente), str(primera), *resto] if (
            version == _VERSION_CURSOR and suya == atadura and de_fuente in _NUMEROS
        ):
            pass
        case _:
            raise invalido
    fuente = _NUMEROS[de_fuente]
    try:
        if _FUENTES[fuente].estado == Registrada.estado:
            clave: tuple[str, ...] = (identificador(nombre, primera), *resto)
        else:
            comando_id, huella = _identidad((primera, *resto))
            clave = (comando_id, huella.hex())
        # Un instante más también tiene que caber.
        return _Posicion(EPOCA + (micros + 1) * MICROSEGUNDO - MICROSEGUNDO, fuente, clave)
    except (OverflowError, TypeError, ValueError):
        raise invalido from None


def _identidad(clave: tuple[str, ...]) -> IdentidadComando:
    """Lee la de un cursor; lanza ValueError si no puede serlo."""
    comando_id, huella = clave
    comando_id.encode()
    return IdentidadComando(comando_id, bytes.fromhex(huella))

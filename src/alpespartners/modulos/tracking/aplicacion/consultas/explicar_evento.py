"""Todo lo que consta de un `id`, de las dos clases: la historia, y lo que la explica.

Qué es: la historia de cada clase (`consultar_destino.py`) con la fila registrada y, en cada suceso, lo que se
envió frente a lo que ya estaba.
Qué no es: un registro de pasos. Se cuenta lo que se guarda: cuándo se recibió, cuándo se decidió y en qué
acabó; que un evento salió se sabe solo cuando no queda ninguno por salir.
Por qué existe: «difieren: valor» no dice cuál de los dos importes está bien. Quien reclama una venta necesita
verlos juntos.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from alpespartners.modulos.tracking.aplicacion.clases import CLASES, Clase
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_destino import (
    SinNoticias,
    Suceso,
    consultar_destino,
)
from alpespartners.modulos.tracking.aplicacion.consultas.listar_destinos import DestinoListado
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes, IdentidadComando
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.destinos import Destino, Duplicada, Ignorada, Rechazada
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.excepciones import Codigo

SUCESOS_EXPLICADOS: Final = 50
"""Los que se explican de cada clase: de cada uno puede haber que leer un cuerpo entero."""
PARECIDOS_MAXIMOS: Final = 64

_COMO_UN_COMANDO: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""Un UUIDv7 (RFC 9562), como lo escribe el servicio."""
_PROPIEDADES: Final = "propiedades"


@dataclass(frozen=True, slots=True)
class Diferencia:
    """Un campo en que un envío no dice lo mismo que la fila; una propiedad va por `propiedades.nombre`.

    Attributes:
        enviado: lo que decía el envío; `None`, nada, o ya no se sabe.
        guardado: lo que dice la fila; `None`, nada, o es de otra campaña.
        decide: si decide el dinero.
    """

    campo: str
    enviado: Any
    guardado: Any
    decide: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SucesoExplicado:
    """Un suceso con lo que lo explica.

    Attributes:
        evento: la fila, en el suceso que la registró.
        enviado: lo que se envió, por su nombre en el JSON; `None` si no se guarda.
        diferencias: aquello en que no dice lo mismo que la fila.
        se_ve_la_fila: si la fila es de una de las campañas que ve quien pregunta.
        ya_registrado: si no se registró y su `id` tiene una fila que se ve, sin ser un conflicto con ella.
    """

    clase: Clase
    suceso: Suceso
    evento: EventoSeguido[Any] | None
    enviado: Mapping[str, Any] | None
    diferencias: Sequence[Diferencia]
    se_ve_la_fila: bool
    ya_registrado: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explicacion:
    """Lo que consta de un `id`.

    Attributes:
        sucesos: los primeros de las dos clases, del más antiguo al más nuevo.
        omitidos: cuántos hay además.
        sin_noticias: las clases de las que no consta nada.
        por_publicar: lo que aún no ha salido, de todos los eventos.
    """

    sucesos: Sequence[SucesoExplicado]
    omitidos: int
    sin_noticias: Mapping[Clase, SinNoticias]
    por_publicar: EnviosPendientes


def explicar_evento(
    consulta: Consulta, evento_id: str, campañas: Collection[str] | None = None
) -> Explicacion:
    """Devuelve lo que consta de ese `id`; con `campañas`, solo lo que iba a una de ellas."""
    sucesos: list[SucesoExplicado] = []
    omitidos = 0
    sin_noticias: dict[Clase, SinNoticias] = {}
    for clase in CLASES:
        historia = consultar_destino(consulta, clase, evento_id, campañas, SUCESOS_EXPLICADOS)
        if isinstance(historia, SinNoticias):
            sin_noticias[clase] = historia
        else:
            omitidos += historia.omitidos
            sucesos += _explicados(consulta, clase, evento_id, historia.sucesos, campañas)
    return Explicacion(
        # A igual instante quedan como estaban: lo registrado, delante de lo que se comparó con ello.
        sucesos=sorted(sucesos, key=lambda explicado: explicado.suceso.decidido_en),
        omitidos=omitidos,
        sin_noticias=sin_noticias,
        por_publicar=consulta.balance.envios_pendientes(),
    )


def parece_un_comando(escrito: str) -> bool:
    """Dice si puede ser un comando; también lo parece el `id` que asigna el servicio."""
    return _COMO_UN_COMANDO.fullmatch(escrito) is not None


def id_de_comando(consulta: Consulta, comando_id: str, campañas: Collection[str] | None = None) -> str | None:
    """El `id` por el que preguntar por ese comando, si no acabó en una fila del libro; si acabó, `None`.

    Con `campañas`, solo si iba a una de ellas.
    """
    for clase in CLASES:
        for anotado in consulta.destinos.de_comandos(clase.topico, [comando_id]):
            if campañas is None or anotado.campaña_id in campañas:
                return anotado.evento_id
    return None


def de_los_que_consta(
    consulta: Consulta, ids: Sequence[str], campañas: Collection[str] | None = None
) -> list[str]:
    """De los primeros de esos `id`, aquellos de los que consta algo, en su orden."""
    primeros = list(islice(dict.fromkeys(ids), PARECIDOS_MAXIMOS))
    hallados: set[str] = set()
    for clase in CLASES:
        eventos = consulta.eventos(clase).obtener(primeros)
        hallados |= {
            evento_id
            for evento_id, evento in eventos.items()
            if campañas is None or evento.contenido.campaña_id in campañas
        }
        hallados |= {
            evento_id
            for evento_id in primeros
            if evento_id not in hallados and consulta.destinos.de_evento(clase.topico, evento_id, 1, campañas)
        }
    return [evento_id for evento_id in primeros if evento_id in hallados]


def ya_registrados(
    consulta: Consulta, listados: Sequence[DestinoListado], campañas: Collection[str] | None = None
) -> list[bool]:
    """Dice de cada uno si, sin ser un conflicto, su `id` tiene una fila; con `campañas`, de una de ellas."""
    por_clase: dict[Clase, set[str]] = {}
    for listado in listados:
        if listado.evento_id is not None and _espera_registro(listado.destino):
            por_clase.setdefault(listado.clase, set()).add(listado.evento_id)
    hallados = {
        (clase, evento_id)
        for clase, ids in por_clase.items()
        for evento_id, evento in consulta.eventos(clase).obtener(ids).items()
        if campañas is None or evento.contenido.campaña_id in campañas
    }
    return [
        _espera_registro(listado.destino) and (listado.clase, listado.evento_id) in hallados
        for listado in listados
    ]


def _espera_registro(destino: Destino) -> bool:
    """Dice si lo enmendado llevaría su mismo `id`; en un conflicto es otro evento, con otro."""
    return isinstance(destino, Ignorada) or (
        isinstance(destino, Rechazada) and destino.motivo is not Codigo.CONFLICTO_DE_ID
    )


def _explicados(
    consulta: Consulta,
    clase: Clase,
    evento_id: str,
    sucesos: Sequence[Suceso],
    campañas: Collection[str] | None,
) -> list[SucesoExplicado]:
    evento = consulta.eventos(clase).obtener([evento_id]).get(evento_id)
    if evento is not None and campañas is not None and evento.contenido.campaña_id not in campañas:
        evento = None
    enviados = consulta.destinos.enviados(clase.topico, {suceso.comando_id for suceso in sucesos})

    def explicado(suceso: Suceso) -> SucesoExplicado:
        identidad = IdentidadComando(suceso.comando_id, suceso.huella or b"")
        es_la_suya = evento is not None and (evento.comando_id, evento.huella) == (
            suceso.comando_id,
            suceso.huella,
        )
        enviado = enviados.get(identidad)
        return SucesoExplicado(
            clase=clase,
            suceso=suceso,
            evento=evento if es_la_suya else None,
            enviado=enviado,
            diferencias=_diferencias(clase, _difieren_en(suceso.destino), enviado, evento),
            se_ve_la_fila=evento is not None,
            ya_registrado=evento is not None and _espera_registro(suceso.destino),
        )

    return [explicado(suceso) for suceso in sucesos]


def _difieren_en(destino: Destino) -> tuple[str, ...]:
    """Los campos en que un envío no dice lo mismo que la fila de su `id`."""
    match destino:
        case Duplicada(_, difieren):
            return difieren
        case Rechazada(Codigo.CONFLICTO_DE_ID, _, campos):
            return campos
        case _:
            return ()


def _diferencias(
    clase: Clase,
    campos: Sequence[str],
    enviado: Mapping[str, Any] | None,
    evento: EventoSeguido[Any] | None,
) -> list[Diferencia]:
    ambos = (enviado or {}, {} if evento is None else evento.contenido.campos())
    diferencias: list[Diferencia] = []
    for campo in campos:
        suyo, guardado = (valores.get(campo) for valores in ambos)
        if campo == _PROPIEDADES and isinstance(suyo, Mapping) and isinstance(guardado, Mapping):
            diferencias += [
                Diferencia(f"{campo}.{nombre}", suyo.get(nombre), guardado.get(nombre), decide=False)
                for nombre in dict.fromkeys((*guardado, *suyo))
                if suyo.get(nombre) != guardado.get(nombre)
            ]
        else:
            decide = campo in clase.contenido.decisivos
            diferencias.append(Diferencia(campo, suyo, guardado, decide))
    return diferencias

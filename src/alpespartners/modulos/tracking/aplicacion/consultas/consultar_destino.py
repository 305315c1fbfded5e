"""Qué fue de un `id`: todo lo que pasó con él, en orden, o por qué aún no consta nada.

Qué es: la historia de un identificador, hecha con su fila del libro y los destinos anotados.
Qué no es: la búsqueda de un comando; por un `comando_id` se pregunta en `aplicacion/esperas.py`.
Por qué existe: «todavía no» y «nunca llegó» se parecen, y quien cobra por un evento necesita distinguirlos.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from alpespartners.modulos.tracking.aplicacion.clases import Clase
from alpespartners.modulos.tracking.aplicacion.conflictos import lo_visible
from alpespartners.modulos.tracking.aplicacion.consultas.consultar_balance import procesado_hasta
from alpespartners.modulos.tracking.aplicacion.puertos import Consulta
from alpespartners.modulos.tracking.dominio.destinos import Destino, Registrada

SUCESOS_MAXIMOS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Suceso:
    """En qué acabó un comando de ese `id`; `decidido_en` es del reloj del consumidor, en UTC.

    `campaña_id` e `influencer_id` son los que se enviaron, si podían serlo; en un registro los dice su fila.
    `huella` es la de la carga del comando; en un registro reconstruido no se sabe.
    """

    comando_id: str
    huella: bytes | None = None
    recibido_en: datetime
    decidido_en: datetime
    destino: Destino
    campaña_id: str | None = None
    influencer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Historia:
    """Los primeros sucesos de un `id`, del más antiguo al más nuevo; el registro, si lo hubo, siempre está.

    `omitidos` son los que hay además y no se devuelven.
    """

    sucesos: tuple[Suceso, ...]
    omitidos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SinNoticias:
    """De ese `id` no consta nada; `procesado_hasta` es el `recibido_en` del comando procesado más nuevo."""

    procesado_hasta: datetime | None

    def explicacion(self, consumidores: int | None) -> str:
        """Devuelve la frase que distingue «todavía no» de «nunca llegó».

        `consumidores` son los que viven ahora, o `None` si no se sabe.
        """
        if self.procesado_hasta is None:
            hecho = "Aún no se ha procesado ningún envío de esta clase"
            si_se_acepto = "Si se aceptó"
        else:
            hecho = (
                f"Ya se procesó lo recibido hasta el {self.procesado_hasta:%Y-%m-%d %H:%M:%S} UTC: "
                "si se aceptó antes, lo más probable es que no llegara con este id"
            )
            si_se_acepto = "Si se aceptó después"
        pendiente = (
            "está a salvo en el broker y espera a que vuelvan los consumidores: ahora no hay ninguno"
            if consumidores == 0
            else "tendrá destino cuando un consumidor lo procese"
        )
        return f"No consta nada de este id. {hecho}. {si_se_acepto}, {pendiente}."


def consultar_destino(
    consulta: Consulta,
    clase: Clase,
    evento_id: str,
    campañas: Collection[str] | None = None,
    maximo: int = SUCESOS_MAXIMOS,
) -> Historia | SinNoticias:
    """Devuelve lo que pasó con ese `id` de esa clase, hasta `maximo` sucesos.

    Con `campañas`, solo lo que iba a una de ellas, también en la cuenta; lo ilegible no se sabe a cuál iba.
    """
    anotados = consulta.destinos.de_evento(clase.topico, evento_id, maximo, campañas)
    cuantos = len(anotados)
    if cuantos == maximo:
        cuantos = consulta.destinos.cuantos_de_evento(clase.topico, evento_id, campañas)
    sucesos = [
        Suceso(
            comando_id=anotado.identidad.comando_id,
            huella=anotado.identidad.huella,
            recibido_en=anotado.recibido_en,
            decidido_en=anotado.decidido_en,
            destino=lo_visible(anotado.destino, campañas),
            campaña_id=anotado.campaña_id,
            influencer_id=anotado.influencer_id,
        )
        for anotado in anotados
    ]
    evento = consulta.eventos(clase).obtener([evento_id]).get(evento_id)
    if evento is not None and (campañas is None or evento.contenido.campaña_id in campañas):
        cuantos += 1
        registro = Suceso(
            comando_id=evento.comando_id,
            huella=evento.huella,
            recibido_en=evento.recibido_en,
            decidido_en=evento.registrado_en,
            destino=Registrada(),
        )
        # Delante de lo que se decidió en el mismo lote, que se comparó con él.
        sucesos = sorted([registro, *sucesos[: maximo - 1]], key=lambda suceso: suceso.decidido_en)
    if not sucesos:
        return SinNoticias(procesado_hasta=procesado_hasta(consulta.balance.renglones(), clase.topico))
    return Historia(sucesos=tuple(sucesos), omitidos=cuantos - len(sucesos))

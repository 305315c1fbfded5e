"""El registro de destinos, en SQL: duplicados, rechazos, ignorados e ilegibles.

Qué es: una fila por comando que no acabó en una fila del libro.
Qué no es: dónde se decide el destino (eso es el manejador), ni un lugar para lo que el cliente dijo: guarda
nombres de campos, y a qué campaña e influencer iba. Lo demás está en `enviados.py`, y no para siempre.
Por qué existe: un comando reentregado mañana debe acabar donde acabó hoy.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    bindparam,
    func,
    literal,
    select,
    tuple_,
)

from alpespartners.modulos.tracking.aplicacion.codigos import CODIGOS, MOTIVOS_DE_IGNORAR
from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, IdentidadComando
from alpespartners.modulos.tracking.aplicacion.puertos import FiltroDestinos
from alpespartners.modulos.tracking.dominio.destinos import (
    Destino,
    Duplicada,
    Ignorada,
    Ilegible,
    Rechazada,
)
from alpespartners.modulos.tracking.infraestructura.libro.enviados import (
    enviados_de,
    guardar_enviados,
    olvidar_enviados,
)
from alpespartners.modulos.tracking.infraestructura.libro.filas import FilaLeida, desconocido
from alpespartners.modulos.tracking.infraestructura.libro.tablas import destinos as tabla
from alpespartners.seedwork.sql.sentencias import (
    en_tandas,
    entre_las_claves,
    insertar_lo_nuevo,
    motor_de,
)
from alpespartners.seedwork.sql.tipos import TEXTO, Instante

M = TypeVar("M")


class RegistroDestinosSQL:
    """Los destinos, sobre una conexión con una transacción abierta."""

    def __init__(self, conexion: Connection) -> None:
        self._conexion = conexion

    def conocidos(self, topico: str, identidades: Collection[IdentidadComando]) -> set[IdentidadComando]:
        """Devuelve cuáles de esos comandos ya tienen destino anotado."""
        buscadas = set(identidades)
        consulta = _conocidos(motor_de(self._conexion))
        halladas = {
            IdentidadComando(comando_id, huella)
            for tanda in en_tandas(self._conexion, {identidad.comando_id for identidad in buscadas})
            for comando_id, huella in self._conexion.execute(consulta, tanda | {"del_topico": topico})
        }
        return halladas & buscadas

    def de_evento(
        self, topico: str, evento_id: str, limite: int, campañas: Collection[str] | None = None
    ) -> list[DestinoDeComando]:
        """Devuelve hasta `limite` destinos de ese `id`, del más antiguo al más nuevo.

        Con `campañas`, solo los de lo que iba a una de ellas.
        """
        consulta = (
            select(tabla)
            .where(*_del_evento(topico, evento_id, campañas))
            .order_by(tabla.c.decidido_en, tabla.c.comando_id, tabla.c.huella)
            .limit(limite)
        )
        return [_destino(fila) for fila in self._conexion.execute(consulta)]

    def cuantos_de_evento(self, topico: str, evento_id: str, campañas: Collection[str] | None = None) -> int:
        """Devuelve cuántos destinos hay anotados de ese `id`; con `campañas`, de lo que iba a ellas."""
        consulta = select(func.count()).select_from(tabla).where(*_del_evento(topico, evento_id, campañas))
        return self._conexion.scalar(consulta) or 0

    def de_comandos(self, topico: str, comandos: Collection[str]) -> list[DestinoDeComando]:
        """Devuelve los destinos anotados de esos `comando_id`."""
        suyos = entre_las_claves(motor_de(self._conexion), tabla.c.comando_id)
        consulta = select(tabla).where(tabla.c.topico == topico, suyos)
        return [
            _destino(fila)
            for tanda in en_tandas(self._conexion, comandos)
            for fila in self._conexion.execute(consulta, tanda)
        ]

    def enviados(
        self, topico: str, comandos: Collection[str]
    ) -> Mapping[IdentidadComando, Mapping[str, Any]]:
        """Devuelve lo que se guarda de lo enviado en esos `comando_id`; lo que se olvidó, falta."""
        return enviados_de(self._conexion, topico, comandos)

    def por_identidad(
        self, topico: str, despues_de: IdentidadComando | None, limite: int
    ) -> list[DestinoDeComando]:
        """Devuelve hasta `limite` destinos del tópico, por orden de identidad, a partir del siguiente."""
        identidad = (tabla.c.comando_id, tabla.c.huella)
        consulta = select(tabla).where(tabla.c.topico == topico).order_by(*identidad).limit(limite)
        if despues_de is not None:
            anterior = tuple_(literal(despues_de.comando_id, TEXTO), literal(despues_de.huella, LargeBinary))
            consulta = consulta.where(tuple_(*identidad) > anterior)
        return [_destino(fila) for fila in self._conexion.execute(consulta)]

    def listar(
        self,
        topico: str,
        filtro: FiltroDestinos,
        despues_de: tuple[datetime, IdentidadComando] | None,
        limite: int,
    ) -> list[DestinoDeComando]:
        """Devuelve hasta `limite` destinos, del más nuevo al más antiguo, con lo que se envió en cada uno."""
        orden = (tabla.c.decidido_en, tabla.c.comando_id, tabla.c.huella)
        consulta = select(tabla).where(tabla.c.topico == topico)
        if filtro.motivo is not None:
            consulta = consulta.where(tabla.c.motivo == filtro.motivo)
        if filtro.motivo is None or filtro.campaña_id is not None:
            # Un motivo ya es de un solo estado: repetirlo llevaría a SQLite a otro índice.
            consulta = consulta.where(tabla.c.estado == filtro.estado)
        if filtro.campaña_id is not None:
            consulta = consulta.where(tabla.c.campana_id == filtro.campaña_id)
        if filtro.desde is not None:
            consulta = consulta.where(tabla.c.decidido_en >= filtro.desde)
        if filtro.hasta is not None:
            consulta = consulta.where(tabla.c.decidido_en < filtro.hasta)
        if despues_de is not None:
            cuando, identidad = despues_de
            posicion = tuple_(
                literal(cuando, Instante()),
                literal(identidad.comando_id, TEXTO),
                literal(identidad.huella, LargeBinary),
            )
            consulta = consulta.where(tuple_(*orden) < posicion)
        consulta = consulta.order_by(*(columna.desc() for columna in orden)).limit(limite)
        hallados = [_destino(fila) for fila in self._conexion.execute(consulta)]
        comandos = {hallado.identidad.comando_id for hallado in hallados}
        enviados = self.enviados(topico, comandos)
        return [hallado._replace(enviado=enviados.get(hallado.identidad)) for hallado in hallados]

    def anotar(self, topico: str, destinos: Sequence[DestinoDeComando]) -> set[IdentidadComando]:
        """Anota los destinos que no estaban y devuelve los comandos a los que correspondían."""
        claves = insertar_lo_nuevo(self._conexion, tabla, [_fila(topico, destino) for destino in destinos])
        anotados = {IdentidadComando(comando_id, huella) for _, comando_id, huella in claves}
        guardar_enviados(self._conexion, topico, [d for d in destinos if d.identidad in anotados])
        return anotados

    def olvidar_enviados(self, recibidos_antes_de: datetime, limite: int) -> int:
        """Olvida lo que se envió en hasta `limite` comandos anteriores a ese instante, y dice en cuántos.

        Sus destinos quedan como están.
        """
        return olvidar_enviados(self._conexion, recibidos_antes_de, limite)


def _del_evento(topico: str, evento_id: str, campañas: Collection[str] | None) -> list[ColumnElement[bool]]:
    condiciones = [tabla.c.topico == topico, tabla.c.evento_id == evento_id]
    if campañas is not None:
        condiciones.append(tabla.c.campana_id.in_(sorted(campañas)))
    return condiciones


@cache
def _conocidos(motor: str) -> Select[Any]:
    return select(tabla.c.comando_id, tabla.c.huella).where(
        tabla.c.topico == bindparam("del_topico"), entre_las_claves(motor, tabla.c.comando_id)
    )


def _fila(topico: str, asiento: DestinoDeComando) -> dict[str, object]:
    fila: dict[str, object] = {
        "topico": topico,
        "comando_id": asiento.identidad.comando_id,
        "huella": asiento.identidad.huella,
        "evento_id": asiento.evento_id,
        "estado": asiento.destino.estado,
        "motivo": None,
        "detalle": None,
        "campos": (),
        "original": None,
        "recibido_en": asiento.recibido_en,
        "decidido_en": asiento.decidido_en,
        "campana_id": asiento.campaña_id,
        "influencer_id": asiento.influencer_id,
    }
    match asiento.destino:
        case Duplicada(original, difieren):
            fila |= {"original": original, "campos": difieren}
        case Rechazada(motivo, detalle, campos):
            fila |= {"motivo": motivo.value, "detalle": detalle, "campos": campos}
        case Ignorada(por_que, detalle):
            fila |= {"motivo": por_que.value, "detalle": detalle}
        case Ilegible(detalle):
            fila["detalle"] = detalle
    return fila


def _destino(fila: FilaLeida) -> DestinoDeComando:
    destino: Destino
    if fila.estado == Duplicada.estado:
        destino = Duplicada(fila.original, tuple(fila.campos))
    elif fila.estado == Rechazada.estado:
        destino = Rechazada(_motivo(fila, CODIGOS), fila.detalle, tuple(fila.campos))
    elif fila.estado == Ignorada.estado:
        destino = Ignorada(_motivo(fila, MOTIVOS_DE_IGNORAR), fila.detalle)
    else:
        destino = Ilegible(fila.detalle)
    return DestinoDeComando(
        identidad=IdentidadComando(fila.comando_id, fila.huella),
        evento_id=fila.evento_id,
        recibido_en=fila.recibido_en,
        decidido_en=fila.decidido_en,
        destino=destino,
        campaña_id=fila.campana_id,
        influencer_id=fila.influencer_id,
    )


def _motivo(fila: FilaLeida, conocidos: Mapping[str, M]) -> M:
    try:
        return conocidos[fila.motivo]
    except KeyError:
        raise desconocido(fila, "motivo") from None

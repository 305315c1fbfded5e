"""Los enlaces en su tabla: se añaden, se cambian y se leen; no se borran, que sus clics los nombran."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Row, select, tuple_, update

from alpespartners.modulos.enlaces.aplicacion.puertos import Filtro, Lugar
from alpespartners.modulos.enlaces.dominio.enlace import Enlace, puede_ser_enlace
from alpespartners.modulos.enlaces.infraestructura.tablas import enlaces, secretos
from alpespartners.seedwork.sql.sentencias import insertar_lo_nuevo

_EL_DE_HOY: Final = 1


def agregar(conexion: Connection, enlace: Enlace) -> tuple[Enlace, bool]:
    """Guarda el enlace si ninguno se llama así; devuelve el que queda, y si es el nuevo."""
    if insertar_lo_nuevo(conexion, enlaces, [_fila(enlace)]):
        return enlace, True
    hallado = leer(conexion, enlace.enlace_id)
    # No se borra ninguno.
    assert hallado is not None  # noqa: S101
    return hallado, False


def cambiar(conexion: Connection, enlace_id: str, cambio: Callable[[Enlace], Enlace]) -> Enlace | None:
    """Cambia el que se llama así; nadie lo cambia entre medias, o quien ejecuta lo repite entero."""
    actual = leer(conexion, enlace_id)
    if actual is None:
        return None
    cambiado = cambio(actual)
    conexion.execute(update(enlaces).where(enlaces.c.enlace_id == enlace_id).values(**_fila(cambiado)))
    return cambiado


def leer(conexion: Connection | None, enlace_id: str) -> Enlace | None:
    """El que se llama así; sin tablas, ninguno."""
    # Lo que se escribe en una terminal puede no caber en ninguna base de datos.
    if conexion is None or not puede_ser_enlace(enlace_id):
        return None
    fila = conexion.execute(select(enlaces).where(enlaces.c.enlace_id == enlace_id)).one_or_none()
    return None if fila is None else _enlace(fila)


def listar(
    conexion: Connection | None, filtro: Filtro, despues_de: Lugar | None, limite: int
) -> list[Enlace]:
    """Hasta `limite`, del último que se hizo al primero; sin tablas, ninguno."""
    if conexion is None:
        return []
    lugar = tuple_(enlaces.c.creado_en, enlaces.c.enlace_id)
    consulta = select(enlaces).order_by(enlaces.c.creado_en.desc(), enlaces.c.enlace_id.desc()).limit(limite)
    if filtro.campaña_id is not None:
        consulta = consulta.where(enlaces.c.campana_id == filtro.campaña_id)
    if filtro.influencer_id is not None:
        consulta = consulta.where(enlaces.c.influencer_id == filtro.influencer_id)
    if despues_de is not None:
        consulta = consulta.where(lugar < despues_de)
    return [_enlace(fila) for fila in conexion.execute(consulta)]


def secreto_guardado(conexion: Connection | None) -> bytes | None:
    """Con el que se firma si los ajustes no dicen otro; `None`, si no hay tablas o alguien lo borró."""
    if conexion is None:
        return None
    return conexion.scalar(select(secretos.c.secreto).where(secretos.c.numero == _EL_DE_HOY))


def _fila(enlace: Enlace) -> dict[str, object]:
    return {
        "enlace_id": enlace.enlace_id,
        "campana_id": enlace.campaña_id,
        "influencer_id": enlace.influencer_id,
        "destino": enlace.destino,
        "cupon": enlace.cupon,
        "parametro_clic": enlace.parametro_clic,
        "dominios_permitidos": enlace.dominios_permitidos,
        "vence_en": enlace.vence_en,
        "creado_en": enlace.creado_en,
    }


def _enlace(fila: Row[Any]) -> Enlace:
    return Enlace(
        enlace_id=fila.enlace_id,
        campaña_id=fila.campana_id,
        influencer_id=fila.influencer_id,
        destino=fila.destino,
        cupon=fila.cupon,
        parametro_clic=fila.parametro_clic,
        dominios_permitidos=tuple(fila.dominios_permitidos),
        vence_en=fila.vence_en,
        creado_en=fila.creado_en,
    )

"""Actualizar de una versión a la siguiente sin parar el servicio, con el cupón como cambio."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import ComandoRecibido
from alpespartners.modulos.tracking.aplicacion.puertos import EsquemaDesconocido
from alpespartners.modulos.tracking.dominio.destinos import Duplicada, Registrada
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ce_dataschema_de, preparar
from alpespartners.modulos.tracking.infraestructura.mensajes.lectura_avro import leer_registro
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    abrir_comando,
    abrir_evento,
    evento_de,
    sobre_de_comando,
    sobre_de_evento,
)
from tests.apoyo.eventos import AHORA, CONVERSION, conversion
from tests.apoyo.libro_en_memoria import TransaccionEnMemoria
from tests.apoyo.primer_esquema import carga_del_primero, primero

TOPICO = clases.CONVERSIONES.topico
CON_CUPON = replace(CONVERSION, cupon="ANA10")


def abierto(carga: bytes, comando_id: str, **propiedades: str) -> Any:
    recibido = abrir_comando(
        TOPICO,
        carga=carga,
        propiedades={"ce_id": comando_id, **propiedades},
        clave=None,
        publicado_en=AHORA,
        posicion="1:1:-1:0",
        epoca=UUID(int=1),
    )
    assert isinstance(recibido, ComandoRecibido)
    return recibido


def test_con_la_api_de_antes_el_consumidor_de_ahora_registra_sin_cupon() -> None:
    recibido = abierto(carga_del_primero(CONVERSION), "c-1")
    assert recibido.comando == CONVERSION
    libro = TransaccionEnMemoria()
    ManejadorDeRegistro(clases.CONVERSIONES).manejar([recibido], libro, AHORA)
    (registrada,) = libro.eventos(clases.CONVERSIONES).eventos.values()
    assert registrada.contenido.cupon is None


def test_con_la_api_de_ahora_el_consumidor_de_antes_no_lee_a_medias_espera() -> None:
    de_antes = primero(TOPICO)
    esquema_de_antes = preparar(de_antes, {ce_dataschema_de(de_antes, de_antes): de_antes})
    sobre = sobre_de_comando(CON_CUPON, "c-1", None)
    with pytest.raises(EsquemaDesconocido):
        leer_registro(esquema_de_antes, sobre.carga, sobre.propiedades)
    # Y el de ahora, cuando le llegue otra vez, lo lee entero.
    assert abierto(sobre.carga, "c-1", **sobre.propiedades).comando == CON_CUPON


def test_los_eventos_de_antes_y_los_de_ahora_se_leen_con_el_esquema_de_ahora() -> None:
    sin_cupon, con_cupon = conversion(), conversion(CON_CUPON)
    for entidad in (sin_cupon, con_cupon):
        sobre = sobre_de_evento(evento_de(entidad), None)
        leida = abrir_evento(clases.CONVERSIONES, carga=sobre.carga, propiedades=sobre.propiedades)
        assert leida == replace(entidad, huella=None)


def test_repetir_tras_actualizar_lo_que_se_envio_antes_no_es_un_conflicto() -> None:
    # La API de antes no conocía el cupón y lo dejó entre las propiedades.
    de_antes = abierto(carga_del_primero(replace(CONVERSION, propiedades={"cupon": "ANA10"})), "c-1")
    sobre = sobre_de_comando(CON_CUPON, "c-2", None)
    repetido = abierto(sobre.carga, "c-2", **sobre.propiedades)
    libro, manejador = TransaccionEnMemoria(), ManejadorDeRegistro(clases.CONVERSIONES)
    destinos = [
        destino.destino
        for lote in ([de_antes], [repetido])
        for destino in manejador.manejar(lote, libro, AHORA).destinos
    ]
    assert destinos == [Registrada(), Duplicada("c-1")]

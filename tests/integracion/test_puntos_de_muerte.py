"""Muera donde muera el proceso de consumidores, al volver se llega al mismo final."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from alpespartners.modulos.tracking.aplicacion.comandos import RegistrarImpresion
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.lecturas import LecturasSQLite
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import migrar
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import MensajeRecibido
from tests.apoyo.base_datos import sql
from tests.apoyo.cuentas import Cuentas, contadas_y_guardadas
from tests.apoyo.eventos import AHORA, IMPRESION
from tests.apoyo.por_publicar import CUANTO
from tests.apoyo.primer_esquema import carga_del_primero
from tests.apoyo.puntos_de_muerte import BrokerQueSobrevive, vivir

COMANDOS = {
    "c-1": replace(IMPRESION, id="uno"),
    "c-2": replace(IMPRESION, id="dos"),
    "c-duplicado": replace(IMPRESION, id="uno"),
    "c-conflicto": replace(IMPRESION, id="uno", usuario_id="otro"),
    "c-rechazado": replace(IMPRESION, id="tres", tipo_evento="NINGUNO"),
}
PASOS = {
    "empezar una transacción",
    "destinos.conocidos",
    "impresiones.agregar",
    "impresiones.obtener",
    "destinos.anotar",
    "bandeja.depositar_eventos",
    "bandeja.depositar_cartas",
    "proyeccion.aplicar",
    "balance.sumar",
    "bandeja.reservar_vencidos",
    "bandeja.retirar",
    "carriles.tomar_vencidos",
    "carriles.avanzar",
    "carriles.soltar",
    "commit",
    "seguir tras el commit",
    "confirmar un mensaje",
    "publicar",
    "saber que el broker lo tiene",
}


def mensaje(posicion: str, comando_id: str, comando: RegistrarImpresion | None) -> MensajeRecibido:
    carga = b"no es Avro" if comando is None else carga_del_primero(comando)
    return MensajeRecibido(posicion, posicion, carga, {"ce_id": comando_id}, None, AHORA)


def broker_cargado() -> BrokerQueSobrevive:
    """Cada destino posible, y un comando que el broker entrega dos veces en mensajes distintos."""
    comandos: Sequence[tuple[str, RegistrarImpresion | None]] = [
        *COMANDOS.items(),
        ("c-ilegible", None),
        ("c-2", COMANDOS["c-2"]),
    ]
    return BrokerQueSobrevive([mensaje(str(n), *comando) for n, comando in enumerate(comandos)])


def final(datos: Path, broker: BrokerQueSobrevive) -> dict[str, Any]:
    """Lo que queda cuando todo está en calma."""
    balance = "SELECT estado, motivo, cuantos FROM balance WHERE topico LIKE 'comando-%' ORDER BY 1, 2"
    return {
        "filas": sql(datos, "SELECT id, comando_id FROM impresiones ORDER BY id"),
        "destinos": sql(datos, "SELECT comando_id, estado, motivo FROM destinos ORDER BY comando_id"),
        "balance": sql(datos, balance),
        "cuentas": cuentas(datos),
        "por publicar": sql(datos, CUANTO),
        "publicado": {(sobre.topico, sobre.propiedades["ce_id"]) for sobre in broker.publicados},
        "por confirmar": broker.sin_confirmar,
    }


def cuentas(datos: Path) -> Cuentas:
    """Las de los informes, que son las que salen de contar las filas."""
    lecturas = LecturasSQLite(datos)
    try:
        contadas, guardadas = lecturas.leer_libro(contadas_y_guardadas)
    finally:
        lecturas.cerrar()
    assert guardadas == contadas
    return guardadas


def balance_contando(datos: Path) -> Counter[tuple[object, object]]:
    """El balance que sale de contar las tablas."""
    destinos = sql(datos, "SELECT estado, coalesce(motivo, '') FROM destinos")
    filas = sql(datos, "SELECT 'REGISTRADA', '' FROM impresiones")
    return Counter((estado, motivo) for estado, motivo in (*destinos, *filas))


async def test_muera_donde_muera_el_proceso_el_final_es_el_mismo(tmp_path: Path) -> None:
    plantilla = tmp_path / "plantilla"
    migrar(plantilla)

    datos, broker = shutil.copytree(plantilla, tmp_path / "sin-muertes"), broker_cargado()
    await vivir(datos, broker)
    esperado = final(datos, broker)
    assert [len(esperado[que]) for que in ("filas", "destinos", "publicado")] == [2, 4, 3]
    assert [cuantos for cuantos, _ in esperado["cuentas"]["cuentas_por_tramo"].values()] == [2]
    assert len(broker.publicados) == 3
    assert (esperado["por publicar"], esperado["por confirmar"]) == ([(0,)], [])

    muertes: Counter[str] = Counter()
    # El orden en que se cruzan el consumidor y el relevo cambia de una vida a otra: hasta verlos todos.
    for vuelta in range(10):
        if muertes.keys() >= PASOS:
            break
        for antes_de in range(200):
            datos = shutil.copytree(plantilla, tmp_path / f"muere-{vuelta}-{antes_de}")
            broker = broker_cargado()
            vida = await vivir(datos, broker, antes_de)
            if not vida.muerta.is_set():
                break
            muertes[vida.pasos[-1]] += 1
            await vivir(datos, broker)
            assert final(datos, broker) == esperado, vida.pasos
            contado = {(estado, motivo): n for estado, motivo, n in final(datos, broker)["balance"]}
            assert contado == balance_contando(datos)
    assert muertes.keys() >= PASOS
    assert muertes["confirmar un mensaje"] >= 7

"""Lo que otro servicio publica mal, o a su manera: cada mensaje un destino, y la cuenta cuadra."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.lectura_avro import MAXIMO_CARGA
from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.lector import mensajes_del_topico, mensajes_publicados, publicar
from tests.apoyo.por_publicar import CUANTO
from tests.apoyo.primer_esquema import carga_del_primero
from tests.apoyo.servicio import Instalacion, instalacion

CARTAS = f"{COMANDO_REGISTRAR_IMPRESION}-tracking-DLQ"


@pytest.fixture
def servicio(tmp_path: Path) -> Iterator[Instalacion]:
    with instalacion(tmp_path) as nueva:
        nueva.iniciar()
        nueva.esperar_consumidores()
        yield nueva


def impresion(id_evento: str | None, **cambios: Any) -> bytes:
    return carga_del_primero(replace(IMPRESION, id=id_evento, **cambios))


def test_cada_mensaje_ajeno_tiene_su_destino_y_sus_vecinos_se_registran(servicio: Instalacion) -> None:
    legibles: list[tuple[bytes, dict[str, str]]] = [
        # Un ce_id con dos cargas son dos comandos, digan lo que digan.
        (impresion("doble-1"), {"ce_id": "doble"}),
        (impresion("doble-2"), {"ce_id": "doble"}),
        (impresion("disputada"), {"ce_id": "disputa"}),
        (impresion("disputada", usuario_id="otro"), {"ce_id": "disputa"}),
        (impresion("a medias"), {"ce_id": "a medias"}),
        # Sin identidad: la da su lugar en el tópico. El segundo no dice ni de qué evento habla.
        (impresion("sin ce_id"), {}),
        (impresion(None), {}),
        (impresion(None), {}),
        (impresion("otro tipo de contenido"), {"ce_id": "c", "ce_datacontenttype": "text/plain"}),
    ]
    ilegibles: list[tuple[bytes | None, dict[str, str]]] = [
        (b"\x00\xff", {"ce_id": "a medias"}),
        (b"\x00\xff", {}),
        (impresion("tipo falso"), {"ce_id": "falso", "ce_type": "com.otro.Registro"}),
        (b"\xff" * MAXIMO_CARGA, {"ce_id": "un mega"}),
        (b"\x02" * (MAXIMO_CARGA + 1), {"ce_id": "más de un mega"}),
        (impresion("sobra") + b"\x00", {"ce_id": "sobra"}),
        (None, {"ce_id": "sin valor"}),
    ]
    mezclados = [
        (carga, propiedades) for par in zip(legibles, ilegibles, strict=False) for carga, propiedades in par
    ]
    mezclados += legibles[len(ilegibles) :]
    for carga, propiedades in mezclados:
        publicar(servicio.datos, COMANDO_REGISTRAR_IMPRESION, carga, propiedades, None)

    def destinos() -> Counter[str]:
        filas = sql(servicio.datos, "SELECT estado, count(*) FROM destinos GROUP BY estado")
        registradas = sql(servicio.datos, "SELECT 'REGISTRADA', count(*) FROM impresiones")
        return Counter({str(estado): int(str(n)) for estado, n in (*filas, *registradas)})

    esperado = {"REGISTRADA": 8, "RECHAZADA": 1, "ILEGIBLE": 7}
    hasta(lambda: destinos().total() == len(mezclados))
    assert destinos() == esperado

    consulta = "SELECT id, comando_id FROM impresiones"
    filas = {str(id_evento): comando for id_evento, comando in sql(servicio.datos, consulta)}
    assert filas["doble-1"] == filas["doble-2"] == "doble"
    assert filas["a medias"] == "a medias"
    sin_id = [
        (id_evento, comando) for id_evento, comando in filas.items() if id_evento == comando != "a medias"
    ]
    assert len(sin_id) == 2
    assert all(UUID(id_evento).version == 5 for id_evento, _ in sin_id)
    conflicto = "SELECT comando_id, motivo FROM destinos WHERE estado = 'RECHAZADA'"
    assert sql(servicio.datos, conflicto) == [("disputa", "conflicto_de_id")]

    hasta(lambda: sql(servicio.datos, CUANTO) == [(0,)])
    cartas = mensajes_del_topico(servicio.datos, CARTAS)
    assert Counter(carta.data() for carta in cartas) == Counter(carga or b"" for carga, _ in ilegibles)
    eventos = [campos["id"] for _, campos in mensajes_publicados(servicio.datos, EVENTO_IMPRESION_REGISTRADA)]
    assert sorted(eventos) == sorted(filas)
    cuentas = servicio.http.get("/tracking/balance").json()
    (cuenta,) = [c for c in cuentas["comandos"] if c["topico"] == COMANDO_REGISTRAR_IMPRESION]
    assert (cuenta["registradas"], cuenta["ilegibles"]) == (8, 7)
    assert cuenta["rechazadas"] == {"conflicto_de_id": 1}
    assert cuenta["total"] == len(mezclados)
    assert cuentas["bandeja_salida"]["pendientes"] == 0

"""La tormenta de duplicados: los mismos `id`, muchas veces, a la vez y por dos APIs."""

import http.client
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alpespartners.modulos.tracking.aplicacion.topicos import EVENTO_IMPRESION_REGISTRADA
from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.lector import mensajes_publicados
from tests.apoyo.por_publicar import CUANTO
from tests.apoyo.puertos import puerto_libre
from tests.apoyo.servicio import UVICORN, instalacion

_IDS = 1_000
_VECES = 20
_CLIENTES = 8


def _enviar(puerto: int, cuerpos: list[bytes]) -> Counter[int]:
    """Envía todo por una conexión y cuenta los estados de las respuestas."""
    estados: Counter[int] = Counter()
    conexion = http.client.HTTPConnection("127.0.0.1", puerto, timeout=60)
    for cuerpo in cuerpos:
        conexion.request("POST", "/tracking/impresiones", cuerpo, {"Content-Type": "application/json"})
        respuesta = conexion.getresponse()
        respuesta.read()
        estados[respuesta.status] += 1
    conexion.close()
    return estados


def test_mil_ids_enviados_veinte_veces_a_la_vez_son_mil_filas_y_mil_eventos(tmp_path: Path) -> None:
    # Con esta carga una confirmación puede tardar; un 503 repetido sería otro comando y otra cuenta.
    with instalacion(tmp_path, ALPES_LIMITE_CONFIRMACION="60") as servicio:
        servicio.iniciar()
        otro_puerto = puerto_libre()
        servicio.lanzar([*UVICORN, "--port", str(otro_puerto)])
        servicio.esperar_consumidores()
        hasta(lambda: _responde(otro_puerto))

        # Las copias de un id salen seguidas y repartidas: varios clientes lo envían en el mismo instante.
        copias = [
            json.dumps({"id": f"imp-{numero}", "campaña_id": "cmp-456", "usuario_id": "usr-1"}).encode()
            for numero in range(_IDS)
            for _ in range(_VECES)
        ]
        with ThreadPoolExecutor(_CLIENTES) as clientes:
            estados = sum(
                clientes.map(
                    _enviar,
                    [(servicio.puerto, otro_puerto)[numero % 2] for numero in range(_CLIENTES)],
                    [copias[numero::_CLIENTES] for numero in range(_CLIENTES)],
                ),
                Counter(),
            )
        assert estados == {202: _IDS * _VECES}

        hasta(lambda: _balance(servicio.datos).total() == _IDS * _VECES, 60, cada=0.2)
        assert _balance(servicio.datos) == {"REGISTRADA": _IDS, "DUPLICADA": _IDS * (_VECES - 1)}
        assert sql(servicio.datos, "SELECT count(*), count(DISTINCT id) FROM impresiones") == [(_IDS, _IDS)]
        assert sql(servicio.datos, "SELECT count(*), count(DISTINCT comando_id) FROM destinos") == [
            (_IDS * (_VECES - 1), _IDS * (_VECES - 1))
        ]
        hasta(lambda: sql(servicio.datos, CUANTO) == [(0,)], 60, cada=0.2)
        eventos = [
            campos["id"] for _, campos in mensajes_publicados(servicio.datos, EVENTO_IMPRESION_REGISTRADA)
        ]
        assert sorted(eventos) == sorted(f"imp-{numero}" for numero in range(_IDS))


def _responde(puerto: int) -> bool:
    conexion = http.client.HTTPConnection("127.0.0.1", puerto, timeout=5)
    try:
        conexion.request("GET", "/salud/lista")
        return conexion.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        conexion.close()


def _balance(datos: Path) -> Counter[str]:
    filas = sql(
        datos,
        "SELECT estado, sum(cuantos) FROM balance WHERE topico LIKE 'comando-%' GROUP BY estado",
    )
    return Counter({str(estado): int(str(cuantos)) for estado, cuantos in filas})

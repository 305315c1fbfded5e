"""Leer un tópico entero sin consumirlo, sobre cada broker."""

from itertools import islice
from pathlib import Path

import pytest

from alpespartners.modulos.tracking.aplicacion.mensajes import Sobre
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import ClientePulsar, MensajeRecibido
from alpespartners.modulos.tracking.infraestructura.pulsar.revision import RevisorDelBroker
from tests.apoyo.broker import Broker, broker_de_prueba
from tests.apoyo.espera import hasta
from tests.apoyo.procesos import recibido_de
from tests.apoyo.pulsar_apache import ApacheDePrueba, ServidorApache

CUANTOS = 20_000
OCTETOS = 200


def publicar(cliente: ClientePulsar, topico: str, cuantos: int, *, desde: int = 0) -> None:
    productor = cliente.productor(topico, por_clave=False, limite=30, maximo_en_curso=cuantos)
    confirmados: list[bool] = []
    for numero in range(desde, desde + cuantos):
        sobre = Sobre(topico, f"clave-{numero % 50}", {"numero": str(numero)}, b"x" * OCTETOS)
        productor.enviar(sobre, confirmados.append)
    productor.vaciar()
    productor.cerrar()
    assert confirmados == [True] * cuantos


def consumir(cliente: ClientePulsar, topico: str, cuantos: int) -> list[MensajeRecibido]:
    suscripcion = cliente.suscribir(topico)
    recibidos = [suscripcion.recibir(10_000) for _ in range(cuantos)]
    suscripcion.cerrar()
    return [mensaje for mensaje in recibidos if mensaje is not None]


def test_cada_mensaje_se_lee_una_vez_y_por_orden_cuantas_veces_se_quiera(broker: Broker) -> None:
    broker.arrancar()
    cliente = broker.cliente()
    publicar(cliente, "muchos", CUANTOS)
    for _ in range(2):
        assert [m.propiedades["numero"] for m in cliente.leer("muchos")] == list(map(str, range(CUANTOS)))
    cliente.cerrar()


def test_quien_lee_despacio_del_embebido_no_recibe_lo_que_aun_no_ha_pedido(tmp_path: Path) -> None:
    with broker_de_prueba(tmp_path) as broker:
        broker.arrancar()
        puerto = int(broker.url.rpartition(":")[2])
        lento, otro = broker.cliente(), broker.cliente()
        publicar(lento, "muchos", CUANTOS)
        leyendo = lento.leer("muchos")
        assert len(list(islice(leyendo, 1_000))) == 1_000
        suyas = recibido_de(puerto).keys()
        # Mientras otro lo lee entero, el broker tiene ocasión de sobra de enviarle lo demás.
        assert len(list(otro.leer("muchos"))) == CUANTOS
        recibido = recibido_de(puerto)
        assert 0 < sum(recibido[conexion] for conexion in suyas) < CUANTOS * OCTETOS / 4
        assert len(list(leyendo)) == CUANTOS - 1_000
        lento.cerrar()
        otro.cerrar()


def test_un_topico_vacio_se_lee_vacio(broker: Broker) -> None:
    broker.arrancar()
    cliente = broker.cliente()
    assert list(cliente.leer("vacio")) == []
    cliente.cerrar()


def test_leer_da_a_cada_mensaje_la_posicion_que_ve_un_consumidor_y_no_se_lo_quita(broker: Broker) -> None:
    broker.arrancar()
    cliente = broker.cliente()
    publicar(cliente, "pocos", 100)
    leidos = list(cliente.leer("pocos"))
    assert _posiciones(leidos) == _posiciones(consumir(cliente, "pocos", 100))
    cliente.cerrar()


def test_un_topico_con_particiones_se_lee_entero_y_con_las_posiciones_de_un_consumidor(
    pulsar_apache: ServidorApache,
) -> None:
    pulsar_apache.arrancar_si_falta()
    broker = ApacheDePrueba(pulsar_apache)
    broker.arrancar()
    pulsar_apache.administrar("PUT", f"persistent/{broker.espacio}/partido/partitions", 3)
    cliente = broker.cliente()
    publicar(cliente, "partido", 500)
    leidos = list(cliente.leer("partido"))
    assert {m.posicion.split(":")[2] for m in leidos} == {"0", "1", "2"}
    assert sorted(int(m.propiedades["numero"]) for m in leidos) == list(range(500))
    assert _posiciones(leidos) == _posiciones(consumir(cliente, "partido", 500))
    cliente.cerrar()


def _posiciones(mensajes: list[MensajeRecibido]) -> dict[str, str]:
    return {mensaje.propiedades["numero"]: mensaje.posicion for mensaje in mensajes}


@pytest.mark.parametrize("particiones", [0, 3])
def test_el_cursor_de_apache_dice_que_mensajes_estan_confirmados(
    pulsar_apache: ServidorApache, particiones: int
) -> None:
    pulsar_apache.arrancar_si_falta()
    broker = ApacheDePrueba(pulsar_apache)
    broker.arrancar()
    if particiones:
        pulsar_apache.administrar("PUT", f"persistent/{broker.espacio}/visto/partitions", particiones)
    cliente = broker.cliente()
    suscripcion = cliente.suscribir("visto")
    for numero in range(9):  # cada uno en su entrada
        publicar(cliente, "visto", 1, desde=numero)
    recibidos = [mensaje for _ in range(9) if (mensaje := suscripcion.recibir(10_000)) is not None]
    confirmados = {mensaje.posicion for mensaje in recibidos if int(mensaje.propiedades["numero"]) % 4}
    suscripcion.confirmar([mensaje for mensaje in recibidos if mensaje.posicion in confirmados])
    revisor = RevisorDelBroker(pulsar_apache.admin, espacio=broker.espacio, token=None, ca=None)

    def segun_el_cursor() -> set[str]:
        cursores = revisor.cursores("visto")
        assert cursores is not None
        return {mensaje.posicion for mensaje in recibidos if cursores.confirmo(mensaje.posicion)}

    hasta(lambda: segun_el_cursor() == confirmados)
    assert revisor.cursores("no-existe") is None
    suscripcion.cerrar()
    cliente.cerrar()

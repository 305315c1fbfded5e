"""El comando nuevo de una carta: mismos octetos, identidad derivada y el nombre del anterior."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.infraestructura.cartas import (
    Carta,
    leer_cartas,
    reinyectar,
    sobre_reinyectado,
)
from alpespartners.modulos.tracking.infraestructura.cliente_pulsar import (
    FalloDelBroker,
    MensajeRecibido,
    Productor,
)
from alpespartners.modulos.tracking.infraestructura.sobres import Sobre, sobre_de_carta
from tests.apoyo.eventos import AHORA, ilegible
from tests.apoyo.pulsar_falso import Aviso, ClienteFalso, ProductorFalso

CARTA = Carta(
    topico=COMANDO_REGISTRAR_CONVERSION,
    comando_id="ajena-1",
    detalle="tipo_mensaje nombra otro registro",
    clave="imp-1",
    publicado_en=AHORA,
    recortada=False,
    carga=b"\x00\xff",
    propiedades={"ce_id": "ajena-1", "ce_type": "otra.Cosa", "suya": "sí"},
)


def identidad(carta: Carta, topico: str = COMANDO_REGISTRAR_IMPRESION) -> str:
    return sobre_reinyectado(carta, topico, ()).propiedades["ce_id"]


def test_lleva_los_octetos_y_la_clave_de_la_carta_y_nombra_al_comando_anterior() -> None:
    sobre = sobre_reinyectado(CARTA, COMANDO_REGISTRAR_IMPRESION, ["ce_type"])
    assert (sobre.topico, sobre.carga, sobre.clave) == (COMANDO_REGISTRAR_IMPRESION, b"\x00\xff", "imp-1")
    ce_id = sobre.propiedades["ce_id"]
    assert sobre.propiedades == {"ce_id": ce_id, "suya": "sí", "alpes_reinyecta": "ajena-1"}
    assert UUID(ce_id).version == 5


def test_la_misma_carta_es_siempre_el_mismo_comando() -> None:
    assert identidad(CARTA) == identidad(replace(CARTA, detalle="otro", propiedades={}))


@pytest.mark.parametrize(
    "otra",
    [replace(CARTA, comando_id="ajena-2"), replace(CARTA, carga=b"\x00")],
    ids=["otro comando", "otros octetos con el mismo ce_id"],
)
def test_dos_cartas_distintas_son_dos_comandos(otra: Carta) -> None:
    assert identidad(CARTA) != identidad(otra)


def test_reinyectarla_en_otro_topico_es_otro_comando() -> None:
    assert identidad(CARTA) != identidad(CARTA, COMANDO_REGISTRAR_CONVERSION)


def test_una_carta_recortada_no_vuelve_a_enviarse() -> None:
    with pytest.raises(ValueError, match="recortada"):
        sobre_reinyectado(replace(CARTA, recortada=True), COMANDO_REGISTRAR_IMPRESION, ())


class ClienteConCartas(ClienteFalso):
    """Guarda una carta tal como la deja la bandeja de salida."""

    def leer(self, topico: str) -> Iterator[MensajeRecibido]:
        sobre = sobre_de_carta(COMANDO_REGISTRAR_IMPRESION, ilegible("c-1", "imp-1"))
        assert topico == sobre.topico
        yield MensajeRecibido("0", "0", sobre.carga, dict(sobre.propiedades), None, AHORA)
        if self.fallos:
            raise FalloDelBroker


def test_una_carta_leida_es_el_mensaje_ilegible_que_la_causo() -> None:
    (carta,) = leer_cartas(ClienteConCartas(), [COMANDO_REGISTRAR_IMPRESION])
    assert carta == Carta(
        topico=COMANDO_REGISTRAR_IMPRESION,
        comando_id="c-1",
        detalle="no es un registro Avro",
        clave="imp-1",
        publicado_en=AHORA,
        recortada=False,
        carga=b"\x00\xff",
        propiedades={"ce_id": "c-1"},
    )


def test_si_el_broker_falla_al_leer_se_dice() -> None:
    with pytest.raises(BrokerNoDisponible):
        list(leer_cartas(ClienteConCartas(fallos=1), [COMANDO_REGISTRAR_IMPRESION]))


class ClienteQueConfirma(ClienteFalso):
    """Su productor confirma al vaciarse, todo o nada."""

    confirma = True

    def productor(self, topico: str, **_ajustes: object) -> Productor:
        confirma = self.confirma

        class _Productor(ProductorFalso):
            def enviar(self, sobre: Sobre, al_saber: Aviso) -> None:
                self.enviados.append((sobre, al_saber))

            def vaciar(self) -> None:
                self.responder(confirmado=confirma)

        self.productores[topico] = _Productor()
        return self.productores[topico]


def test_reinyectar_dice_cuantas_confirmo_el_broker() -> None:
    cliente = ClienteQueConfirma()
    sobres = [sobre_reinyectado(CARTA, COMANDO_REGISTRAR_IMPRESION, ())] * 250
    assert reinyectar(cliente, COMANDO_REGISTRAR_IMPRESION, sobres) == 250
    assert cliente.productores[COMANDO_REGISTRAR_IMPRESION].cerrado


def test_si_el_broker_no_las_confirma_se_dice() -> None:
    cliente = ClienteQueConfirma()
    cliente.confirma = False
    with pytest.raises(BrokerNoDisponible):
        reinyectar(
            cliente,
            COMANDO_REGISTRAR_IMPRESION,
            [sobre_reinyectado(CARTA, COMANDO_REGISTRAR_IMPRESION, ())],
        )

"""El comando nuevo de una carta: mismos octetos, identidad derivada, el nombre del anterior y su destino."""

from collections.abc import Collection, Generator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, IdentidadComando, Sobre
from alpespartners.modulos.tracking.aplicacion.puertos import BrokerNoDisponible
from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
)
from alpespartners.modulos.tracking.dominio.destinos import Ilegible, Rechazada, Registrada
from alpespartners.modulos.tracking.dominio.entidades import Impresion
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.modulos.tracking.infraestructura.mensajes.sobres import (
    sobre_de_carta,
    sobre_de_comando,
)
from alpespartners.modulos.tracking.infraestructura.operacion.cartas import (
    Carta,
    Reinyeccion,
    leer_cartas,
    reinyecciones,
    reinyectar,
    sobre_reinyectado,
)
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import (
    FalloDelBroker,
    MensajeRecibido,
    Productor,
)
from tests.apoyo.eventos import AHORA, CONVERSION, HUELLA, IMPRESION, conversion, ilegible, impresion
from tests.apoyo.libro_en_memoria import EventosEnMemoria, TransaccionEnMemoria
from tests.apoyo.primer_esquema import carga_del_primero
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


def test_la_identidad_de_lo_reinyectado_es_la_misma_en_todas_las_versiones() -> None:
    assert identidad(CARTA) == "8fdf9b90-17bc-5ac5-8b0f-238df816fe95"


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


RECHAZO = Rechazada(Codigo.CONFLICTO_DE_ID, "ya se registró con otro contenido", ())
OTRA_VEZ = Ilegible("los octetos no son Avro de este registro")
DE_UNA_IMPRESION = replace(CARTA, carga=carga_del_primero(IMPRESION))


class EventosQueNadieLee(EventosEnMemoria[Impresion]):
    def obtener(self, ids: Collection[str]) -> dict[str, Impresion]:
        pytest.fail(f"se buscó {ids!r}")


def test_de_una_carta_reinyectada_se_dice_en_que_libro_esta_y_con_que_id() -> None:
    libro = TransaccionEnMemoria()
    assert reinyecciones(DE_UNA_IMPRESION, libro) == []
    libro.eventos(clases.IMPRESIONES).agregar([impresion(comando_id=identidad(DE_UNA_IMPRESION))])
    assert reinyecciones(DE_UNA_IMPRESION, libro) == [
        Reinyeccion(COMANDO_REGISTRAR_IMPRESION, IMPRESION.id, Registrada())
    ]


def test_una_carta_escrita_con_el_esquema_de_hoy_se_encuentra_por_el_que_dice_la_carta() -> None:
    propio = sobre_de_comando(CONVERSION, "ajena-1", None)
    carta = replace(CARTA, carga=propio.carga, propiedades=dict(propio.propiedades))
    libro = TransaccionEnMemoria()
    libro.eventos(clases.CONVERSIONES).agregar(
        [conversion(comando_id=identidad(carta, COMANDO_REGISTRAR_CONVERSION))]
    )
    assert reinyecciones(carta, libro) == [
        Reinyeccion(COMANDO_REGISTRAR_CONVERSION, CONVERSION.id, Registrada())
    ]


def test_de_una_carta_reinyectada_en_dos_topicos_se_dicen_los_dos_destinos() -> None:
    libro = TransaccionEnMemoria()
    for topico, destino in ((COMANDO_REGISTRAR_IMPRESION, RECHAZO), (COMANDO_REGISTRAR_CONVERSION, OTRA_VEZ)):
        suya = IdentidadComando(identidad(CARTA, topico), HUELLA)
        libro.destinos.anotar(
            topico,
            [
                DestinoDeComando(
                    identidad=suya,
                    evento_id="imp-1",
                    recibido_en=AHORA,
                    decidido_en=AHORA,
                    destino=destino,
                )
            ],
        )
    assert reinyecciones(CARTA, libro) == [
        Reinyeccion(COMANDO_REGISTRAR_IMPRESION, "imp-1", RECHAZO),
        Reinyeccion(COMANDO_REGISTRAR_CONVERSION, "imp-1", OTRA_VEZ),
    ]


def test_que_otro_comando_registrase_ese_id_no_es_una_reinyeccion() -> None:
    libro = TransaccionEnMemoria()
    libro.eventos(clases.IMPRESIONES).agregar([impresion(comando_id="de otro")])
    assert reinyecciones(DE_UNA_IMPRESION, libro) == []


def test_una_carta_con_un_id_que_no_cabe_en_el_libro_no_se_busca_en_el() -> None:
    imposible = replace(CARTA, carga=carga_del_primero(replace(IMPRESION, id="a\x00b")))
    libro = TransaccionEnMemoria()
    libro.libros[clases.IMPRESIONES] = EventosQueNadieLee(clases.IMPRESIONES)
    assert reinyecciones(imposible, libro) == []


def test_una_carta_recortada_nunca_se_reinyecto() -> None:
    assert reinyecciones(replace(CARTA, recortada=True), TransaccionEnMemoria()) == []


def test_una_carta_recortada_no_vuelve_a_enviarse() -> None:
    with pytest.raises(ValueError, match="recortada"):
        sobre_reinyectado(replace(CARTA, recortada=True), COMANDO_REGISTRAR_IMPRESION, ())


class ClienteConCartas(ClienteFalso):
    """Guarda una carta tal como la deja la bandeja de salida."""

    def leer(self, topico: str) -> Generator[MensajeRecibido]:
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
    """Su productor confirma al vaciarse, todo o nada, y como el de verdad no encola más de su máximo."""

    confirma = True

    def productor(self, topico: str, **ajustes: Any) -> Productor:
        self._fallar()
        confirma, maximo_en_curso = self.confirma, ajustes["maximo_en_curso"]

        class _Productor(ProductorFalso):
            def enviar(self, sobre: Sobre, al_saber: Aviso, *, solo: bool = False) -> None:
                del solo
                self.enviados.append((sobre, al_saber))
                if len(self.enviados) > maximo_en_curso:
                    self.responder(confirmado=False)

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


@pytest.mark.parametrize(
    "cliente",
    [ClienteQueConfirma(fallos=1), ClienteQueConfirma(hay_sitio=lambda: False)],
    ids=["falla", "lleno"],
)
def test_si_el_broker_falla_o_no_tiene_sitio_se_dice(cliente: ClienteFalso) -> None:
    with pytest.raises(BrokerNoDisponible):
        reinyectar(
            cliente,
            COMANDO_REGISTRAR_IMPRESION,
            [sobre_reinyectado(CARTA, COMANDO_REGISTRAR_IMPRESION, ())],
        )

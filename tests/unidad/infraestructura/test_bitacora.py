"""Lo que el registro dice de una tanda asentada."""

from structlog.testing import capture_logs

from alpespartners.modulos.tracking.aplicacion.mensajes import DestinoDeComando, LoteAsentado
from alpespartners.modulos.tracking.dominio.destinos import Rechazada
from alpespartners.modulos.tracking.dominio.excepciones import Codigo
from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Entrada
from alpespartners.modulos.tracking.infraestructura.consumo.bitacora import Bitacora
from alpespartners.modulos.tracking.infraestructura.consumo.escritor import Escrita
from tests.apoyo.eventos import AHORA, IMPRESION, recibido
from tests.apoyo.metricas import metricas_de_consumo
from tests.apoyo.pulsar_falso import mensaje


def test_los_motivos_de_lo_rechazado_se_leen_tambien_en_una_terminal() -> None:
    llegado = recibido(IMPRESION, "c-a")
    tanda = [Entrada("a", mensaje(IMPRESION, "a"), llegado)]
    rechazada = Rechazada(Codigo.CONFLICTO_DE_ID, "ya existe")
    destino = DestinoDeComando(llegado.identidad, IMPRESION.id, AHORA, AHORA, rechazada)
    bitacora = Bitacora("comando-registrar-impresion", metricas_de_consumo(), lambda: AHORA)
    with capture_logs() as anotado:
        bitacora.asentada(tanda, Escrita(LoteAsentado([destino]), 0.1))
    (linea,) = [linea for linea in anotado if linea["event"] == "comandos rechazados"]
    # En una terminal se escribe el `repr` de lo anotado: el de un enumerado no es lo que se busca.
    assert repr(linea["motivos"]) == "{'conflicto_de_id': 1}"

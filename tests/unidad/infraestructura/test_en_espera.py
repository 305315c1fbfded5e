"""Los comandos que esperan a una versión posterior: cuándo vuelven al broker y qué se ve."""

from dataclasses import replace

from structlog.testing import capture_logs

from alpespartners.modulos.tracking.infraestructura.consumo.en_espera import EnEspera, Espera
from alpespartners.seedwork.pausas import Pausas
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.pulsar_falso import mensaje

HUELLA = "0123456789abcdef"


class Reloj:
    def __init__(self) -> None:
        self.segundos = 1_000.0

    def __call__(self) -> float:
        return self.segundos


def con_reloj(maximo: int = 100) -> tuple[EnEspera, Reloj]:
    reloj = Reloj()
    return EnEspera("t", Pausas(minima=10, maxima=30), maximo=maximo, reloj=reloj), reloj


def retener(espera: EnEspera, *posiciones: str, huella: str = HUELLA) -> None:
    for posicion in posiciones:
        espera.retener(mensaje(replace(IMPRESION, id=posicion), posicion), huella)


def devueltos(espera: EnEspera) -> list[str]:
    return [devuelto.posicion for devuelto in espera.por_devolver()]


def test_lo_retenido_vuelve_al_broker_de_una_vez_y_cada_vez_mas_tarde() -> None:
    espera, reloj = con_reloj()
    retener(espera, "1", "2")
    momentos = []
    for _ in range(130):
        if vuelven := devueltos(espera):
            assert vuelven == ["1", "2"]
            momentos.append(int(reloj.segundos - 1_000))
            retener(espera, *vuelven)
        reloj.segundos += 1
    assert momentos == [10, 30, 60, 90, 120]


def test_lo_que_se_devolvio_sigue_contando_hasta_que_pasa_una_pausa_sin_volver() -> None:
    espera, reloj = con_reloj()
    assert espera.estado() is None
    retener(espera, "1", "2")
    reloj.segundos += 10
    assert devueltos(espera) == ["1", "2"]
    assert espera.estado() == Espera(mensajes=2, huellas=(HUELLA,), segundos=10)
    retener(espera, "2")
    assert espera.estado() == Espera(mensajes=2, huellas=(HUELLA,), segundos=10)
    reloj.segundos += 20
    assert devueltos(espera) == ["2"]
    reloj.segundos += 30
    assert devueltos(espera) == []
    assert espera.estado() is None


def test_tras_quedar_vacia_vuelve_a_empezar_por_la_pausa_minima() -> None:
    espera, reloj = con_reloj()
    retener(espera, "1")
    for _ in range(2):
        reloj.segundos += 30
        espera.por_devolver()
    assert espera.estado() is None
    retener(espera, "2")
    reloj.segundos += 10
    assert devueltos(espera) == ["2"]


def test_no_se_recuerdan_mas_que_los_que_caben_pero_se_cuentan_todos() -> None:
    espera, reloj = con_reloj(maximo=3)
    for numero in range(100):
        retener(espera, str(numero), huella=f"{numero:016x}")
    estado = espera.estado()
    assert estado is not None
    assert estado.mensajes == 100
    assert len(estado.huellas) == 10
    reloj.segundos += 10
    assert devueltos(espera) == ["0", "1", "2"]


def test_un_mensaje_que_llega_otra_vez_sin_haberlo_devuelto_es_el_mismo() -> None:
    espera, _reloj = con_reloj(maximo=2)
    for _ in range(3):
        retener(espera, "1", "2")
    estado = espera.estado()
    assert estado is not None
    assert estado.mensajes == 2


def test_de_lo_retenido_no_se_guarda_lo_que_ocupa() -> None:
    espera, reloj = con_reloj()
    retener(espera, "1")
    reloj.segundos += 10
    (devuelto,) = espera.por_devolver()
    assert (devuelto.carga, devuelto.propiedades, devuelto.clave) == (None, {}, None)


def test_al_cerrarse_la_suscripcion_no_queda_nada_que_devolver() -> None:
    espera, reloj = con_reloj()
    retener(espera, "1")
    espera.olvidar()
    reloj.segundos += 10
    assert devueltos(espera) == []
    assert espera.estado() is None


def test_se_dice_en_el_registro_la_primera_vez_y_cada_vez_que_vuelven() -> None:
    espera, reloj = con_reloj()
    with capture_logs() as lineas:
        retener(espera, "1", "2", "3")
        reloj.segundos += 10
        espera.por_devolver()
        retener(espera, "1", "2", "3")
    assert [(linea["log_level"], linea["topico"]) for linea in lineas] == [("warning", "t")] * 2
    assert lineas[0]["huella"] == HUELLA
    assert (lineas[1]["mensajes"], lineas[1]["huellas"]) == (3, (HUELLA,))

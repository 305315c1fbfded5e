"""La API o los consumidores de siempre, con el cronómetro puesto en sus partes.

Qué es: `python -m rendimiento.cronometrado <carpeta> api|consumidores` sirve como `alpespartners api` o
`alpespartners consumidores`, y al recibir SIGUSR1 escribe en esa carpeta lo gastado hasta entonces.
Qué no es: más lento en lo que importa; lo que cuesta medir se descuenta.
Por qué existe: qué función es de qué parte se dice en un solo lugar.
"""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from alpespartners.api.http.api import Api
from alpespartners.api.http.registro_de_accesos import RegistroDeAccesos
from alpespartners.api.operacion.metricas import Peticiones
from alpespartners.api.tracking import envios
from alpespartners.composicion import procesos
from alpespartners.composicion.consumo import consumir
from alpespartners.config import Configuracion
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.infraestructura import despachadores, repositorios
from alpespartners.modulos.tracking.infraestructura.consumo.apertura import Apertura
from alpespartners.modulos.tracking.infraestructura.consumo.recogida import Recogida
from alpespartners.modulos.tracking.infraestructura.consumo.relevo import Relevo
from alpespartners.modulos.tracking.infraestructura.despachadores import DespachadorPulsar
from alpespartners.modulos.tracking.infraestructura.libro import bandeja_salida
from alpespartners.modulos.tracking.infraestructura.libro.balance import BalanceSQL
from alpespartners.modulos.tracking.infraestructura.libro.bandeja_salida import BandejaSalidaSQL
from alpespartners.modulos.tracking.infraestructura.libro.carriles import CarrilesSQL
from alpespartners.modulos.tracking.infraestructura.libro.destinos import RegistroDestinosSQL
from alpespartners.modulos.tracking.infraestructura.metricas import MetricasDeConsumo, MetricasDePublicacion
from alpespartners.modulos.tracking.infraestructura.motores.sqlite.libro import LibroSQLite
from alpespartners.modulos.tracking.infraestructura.pulsar import cliente as cliente_pulsar
from alpespartners.modulos.tracking.infraestructura.pulsar.cliente import Productor, Suscripcion
from alpespartners.modulos.tracking.infraestructura.pulsar.publicador import Publicador
from alpespartners.modulos.tracking.infraestructura.repositorios import RepositorioEventosSQL
from alpespartners.seedwork.procesos.servidor_http import abrir_puerto
from rendimiento.cronometro import Cronometro, cpu_de_los_hilos


def medir_la_api(cronometro: Cronometro) -> None:
    """Pone el cronómetro en las partes de aceptar un envío."""
    envolver = cronometro.envolver
    envolver("uvicorn: leer HTTP y crear la tarea", HttpToolsProtocol, "data_received")
    envolver("uvicorn: escribir la respuesta", RequestResponseCycle, "send")
    envolver("acceso, ruta, traza y lo demás de la API", Api, "_atender")
    envolver("leer el cuerpo", envios, "leer_cuerpo")
    envolver("leer el JSON", envios, "leer_json")
    reglas = "JSON → DTO → comando, con las reglas del dominio"
    envolver(reglas, envios, "comando_del_cuerpo")
    envolver("comando → Avro y propiedades", despachadores, "sobre_de_comando")
    envolver("entregarlo al cliente de Pulsar", Productor, "enviar")
    envolver("esperar la confirmación: futuro, plazo y turno", DespachadorPulsar, "publicar")
    envolver("repartir las confirmaciones", Publicador, "enviar", "_repartir")
    envolver("componer la respuesta", envios._Envio, "aceptado")  # noqa: SLF001 (se mide por dentro)
    cuentas = "registro de accesos y métricas"
    envolver(cuentas, RegistroDeAccesos, "anotar", "escribir")
    envolver(cuentas, Peticiones, "observar")
    envolver(cuentas, MetricasDePublicacion, "aceptado")


def medir_los_consumidores(cronometro: Cronometro) -> None:
    """Pone el cronómetro en las partes de asentar un comando y publicar su evento."""
    envolver = cronometro.envolver
    recibir = "recibir el mensaje y copiar lo que trae"
    envolver(recibir, Recogida, "recoger")
    envolver(recibir, Suscripcion, "recibir")
    envolver(recibir, cliente_pulsar, "_mensaje_recibido")
    envolver("Avro → comando, y su identidad", Apertura, "abrir")
    envolver("confirmar el mensaje", Suscripcion, "confirmar")
    envolver("comando → entidad, con las reglas del dominio", ManejadorDeRegistro, "_juzgar")
    envolver("orden del lote y destinos", ManejadorDeRegistro, "manejar")
    envolver("buscar y anotar destinos", RegistroDestinosSQL, "conocidos", "anotar")
    envolver("entidad → fila, e insertarla", RepositorioEventosSQL, "agregar", "obtener")
    envolver("entidad → fila, e insertarla", repositorios, "insertar_lo_nuevo")
    envolver("evento → Avro y propiedades", bandeja_salida, "sobre_de_evento")
    pendiente = "lo pendiente de publicar: dejarlo dicho y anotar lo publicado"
    envolver(pendiente, BandejaSalidaSQL, "depositar_eventos", "retirar")
    envolver(pendiente, CarrilesSQL, "avanzar")
    envolver("balance", BalanceSQL, "sumar", "contar_envios")
    envolver("transacción: empezar, commit y disco", LibroSQLite, "_en_transaccion")
    envolver("entregar el evento al cliente de Pulsar", Productor, "enviar")
    repartir = "repartir las confirmaciones de los eventos"
    envolver(repartir, Publicador, "enviar", "_repartir")
    envolver(repartir, Relevo, "entregar", "_al_saber", "_soltar")
    envolver("métricas", MetricasDeConsumo, "lote", "envio")


def _anotar(cronometro: Cronometro, archivo: Path) -> None:
    gastado = {
        "partes": dict(cronometro.partes),
        "hilos": cpu_de_los_hilos(),
        "proceso": time.process_time_ns(),
        "medir": cronometro.envueltas * cronometro.por_llamada,
    }
    aparte = archivo.with_suffix(".nuevo")
    aparte.write_text(json.dumps(gastado), encoding="utf-8")
    aparte.rename(archivo)


def _escribir_cuando_lo_pidan(cronometro: Cronometro, archivo: Path) -> None:
    while True:
        signal.sigwait({signal.SIGUSR1})
        _anotar(cronometro, archivo)


def _principal(carpeta: Path, cual: str) -> None:
    cronometro = Cronometro()
    # Bloqueada en todos los hilos, la señal espera a quien la pide.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    threading.Thread(
        target=_escribir_cuando_lo_pidan, args=(cronometro, carpeta / f"{cual}.json"), daemon=True
    ).start()
    configuracion = Configuracion()
    if cual == "api":
        medir_la_api(cronometro)
        puerto = abrir_puerto("127.0.0.1", int(os.environ["ALPES_PUERTO"]), 2048, "ALPES_PUERTO")
        procesos.migrar_y_servir_api(configuracion, puerto)
    else:
        medir_los_consumidores(cronometro)
        consumir(configuracion, migra=True)


if __name__ == "__main__":
    _principal(Path(sys.argv[1]), sys.argv[2])

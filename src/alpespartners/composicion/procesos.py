"""Los procesos del producto: qué corre cada uno cuando el supervisor lo crea.

Qué es: funciones de módulo que `multiprocessing` encuentra por su nombre en un intérprete nuevo.
Qué no es: quien compone; llaman a quien lo hace, y lo importan en el proceso que lo usa.
Por qué existe: el supervisor no necesita ni el cliente de Pulsar ni SQL; si los importara él primero, el
arranque tardaría el doble y quedarían en memoria para nada.
"""

import socket

from alpespartners.config import Configuracion
from alpespartners.seedwork.arranque import ErrorDeArranque
from alpespartners.seedwork.observacion.cuenta_comun import Puesto
from alpespartners.seedwork.procesos.servidor_http import ServidorHTTP, en_copias


def servir_api(
    configuracion: Configuracion,
    enchufe: socket.socket,
    puesto: Puesto | None = None,
    *,
    migra: bool = False,
) -> None:
    """Atiende HTTP en un puerto ya abierto hasta recibir SIGTERM.

    Args:
        configuracion: la del proceso.
        enchufe: el del puerto; pueden tenerlo otros procesos, y cada conexión es de quien la acepte.
        puesto: el suyo entre ellos, si son varios.
        migra: si antes migra PostgreSQL.

    Raises:
        ErrorDeArranque: es uno de varios y no puede arrancar; los demás tampoco podrían.
    """
    from alpespartners.composicion.api import crear_app

    impedimentos: list[ErrorDeArranque] = []
    aplicacion = crear_app(configuracion, migra=migra, puesto=puesto, al_no_poder=impedimentos.append)
    enchufes = en_copias(enchufe) if puesto is None else [enchufe]
    try:
        ServidorHTTP(aplicacion, configuracion.espera_conexion).run(sockets=enchufes)
    except SystemExit:
        # uvicorn termina con un código, y con él solo se le volvería a arrancar sin fin.
        if puesto is None or not impedimentos:
            raise
        raise impedimentos[0] from None


def migrar_y_servir_api(
    configuracion: Configuracion, enchufe: socket.socket, puesto: Puesto | None = None
) -> None:
    """Deja al día la base de datos y atiende HTTP en un puerto ya abierto hasta recibir SIGTERM."""
    servir_api(configuracion, enchufe, puesto, migra=True)


def consumir(configuracion: Configuracion) -> None:
    """Consume comandos hasta recibir SIGTERM."""
    from alpespartners.composicion.consumo import consumir as consumir_comandos

    consumir_comandos(configuracion)


def migrar_y_consumir(configuracion: Configuracion, aviso: socket.socket) -> None:
    """Deja al día la base de datos y consume comandos hasta recibir SIGTERM.

    Cuando empieza cierra `aviso` para escribir: quien tenga el otro extremo lee su final. Cerrarlo así vale
    para todas sus copias, y hacerlo otra vez, si este proceso se repone, no cambia nada.
    """
    from alpespartners.composicion.consumo import consumir as consumir_comandos

    consumir_comandos(configuracion, migra=True, al_empezar=lambda: aviso.shutdown(socket.SHUT_WR))


def migrar(configuracion: Configuracion) -> None:
    """Lleva la base de datos al esquema de esta versión y termina."""
    from alpespartners.composicion.ordenes import migrar as migrar_base_de_datos

    migrar_base_de_datos(configuracion)

package com.alpespartners.ejemplos;

import org.apache.pulsar.client.api.PulsarClient;
import org.apache.pulsar.client.api.PulsarClientException;

/** Dónde está Pulsar: las mismas variables de ambiente que usa el servicio. */
final class Broker {

    private Broker() {
    }

    static PulsarClient conectar() throws PulsarClientException {
        return PulsarClient.builder().serviceUrl(variable("ALPES_PULSAR_URL", "pulsar://localhost:6650")).build();
    }

    static String topico(String nombre) {
        return "persistent://" + variable("ALPES_PULSAR_ESPACIO", "public/default") + "/" + nombre;
    }

    private static String variable(String nombre, String omision) {
        return System.getenv().getOrDefault(nombre, omision);
    }
}

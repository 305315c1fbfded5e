package com.alpespartners.ejemplos;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/** Los esquemas con que se ha escrito alguna vez un mensaje, por su {@code ce_dataschema}. */
final class Historial {

    private static final Pattern LINEA = Pattern.compile("\\{\"ce_dataschema\":\"([^\"]+)\",\"esquema\":(.*)\\}");

    private Historial() {
    }

    /** El texto de cada esquema, del más antiguo al más nuevo. */
    static Map<String, String> leer() throws IOException {
        var esquemas = new LinkedHashMap<String, String>();
        try (var archivo = Historial.class.getResourceAsStream("/historial.jsonl")) {
            for (var linea : new String(archivo.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
                var partes = LINEA.matcher(linea);
                if (partes.matches()) {
                    esquemas.put(partes.group(1), partes.group(2));
                }
            }
        }
        return esquemas;
    }
}

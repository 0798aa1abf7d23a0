// Two orders and one look at them with Java's own client, as it is by default: it asks for HTTP/2 with every request.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class Orders {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        URI orders = URI.create(arguments[0] + "/orders");
        for (int number = 0; number < 2; number++) {
            HttpRequest order = HttpRequest.newBuilder(orders)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(arguments[1]))
                .build();
            System.out.println(client.send(order, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
        HttpRequest list = HttpRequest.newBuilder(orders).build();
        System.out.println(client.send(list, HttpResponse.BodyHandlers.ofString()).statusCode());
    }
}

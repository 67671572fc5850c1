import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Principal;
import java.util.Arrays;
import org.apache.http.auth.AuthSchemeProvider;
import org.apache.http.auth.AuthScope;
import org.apache.http.auth.Credentials;
import org.apache.http.auth.NTCredentials;
import org.apache.http.auth.UsernamePasswordCredentials;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.CloseableHttpResponse;
import org.apache.http.client.methods.HttpGet;
import org.apache.http.client.methods.HttpPost;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.entity.ByteArrayEntity;
import org.apache.http.entity.ContentType;
import org.apache.http.impl.auth.DigestSchemeFactory;
import org.apache.http.impl.auth.KerberosSchemeFactory;
import org.apache.http.impl.auth.NTLMSchemeFactory;
import org.apache.http.impl.auth.SPNegoSchemeFactory;
import org.apache.http.impl.client.BasicCredentialsProvider;
import org.apache.http.impl.client.CloseableHttpClient;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.util.EntityUtils;

/** Apache HttpClient 4: HttpClient4 CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them. */
public class HttpClient4 {
  /** The ticket of the user's cache, which JAAS finds. */
  static final Credentials TICKET =
      new Credentials() {
        @Override
        public Principal getUserPrincipal() {
          return null;
        }

        @Override
        public String getPassword() {
          return null;
        }
      };

  static CloseableHttpClient client(boolean expect, String scheme, String user, String password) {
    BasicCredentialsProvider accounts = new BasicCredentialsProvider();
    String name = user.substring(user.indexOf('\\') + 1);
    accounts.setCredentials(
        new AuthScope(AuthScope.ANY_HOST, -1, null, "ntlm"), new NTCredentials(name, password, "WS", "LAB"));
    accounts.setCredentials(
        new AuthScope(AuthScope.ANY_HOST, -1, null, "digest"), new UsernamePasswordCredentials(name, password));
    if (scheme.endsWith("kerberos")) {
      accounts.setCredentials(new AuthScope(AuthScope.ANY_HOST, -1, null, "negotiate"), TICKET);
      accounts.setCredentials(new AuthScope(AuthScope.ANY_HOST, -1, null, "kerberos"), TICKET);
    }
    RequestConfig config =
        RequestConfig.custom()
            .setExpectContinueEnabled(expect)
            .setTargetPreferredAuthSchemes(Arrays.asList("Negotiate", "Kerberos", "NTLM", "Digest"))
            .setSocketTimeout(15_000)
            .build();
    return HttpClients.custom()
        .setDefaultCredentialsProvider(accounts)
        .setDefaultRequestConfig(config)
        .setDefaultAuthSchemeRegistry(
            RegistryBuilder.<AuthSchemeProvider>create()
                .register("ntlm", new NTLMSchemeFactory())
                .register("digest", new DigestSchemeFactory())
                .register("negotiate", new SPNegoSchemeFactory(true, false))
                .register("kerberos", new KerberosSchemeFactory(true, false))
                .build())
        .build();
  }

  public static void main(String[] words) throws Exception {
    CloseableHttpClient client = client(words[0].endsWith("-expect"), words[1], words[3], words[4]);
    for (int i = 5; i < words.length; i++) {
      String[] step = words[i].split(" ");
      HttpUriRequest request = new HttpGet(words[2] + step[1]);
      if (step.length > 2) {
        HttpPost post = new HttpPost(words[2] + step[1]);
        byte[] body = Files.readAllBytes(Path.of(step[2]));
        post.setEntity(new ByteArrayEntity(body, ContentType.APPLICATION_OCTET_STREAM));
        request = post;
      }
      try (CloseableHttpResponse answer = client.execute(request)) {
        String body = answer.getEntity() == null ? "" : EntityUtils.toString(answer.getEntity());
        System.out.println(answer.getStatusLine().getStatusCode() + " " + body);
      } catch (Exception error) {
        System.out.println(error);
      }
    }
    System.exit(0);
  }
}

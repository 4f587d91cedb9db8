// Which models this dataset asks, and whether they can be; no key is known here.
import type { ConnectionState } from "../../contract.gen";
import { Badge } from "../../ui/Badge";
import { Scroll } from "../../ui/Scroll";

export function Connections({ connections }: { readonly connections: readonly ConnectionState[] }) {
  return (
    <section className="rft-card" aria-label="Asked by this dataset">
      <h2 className="rft-card-title">Asked by this dataset</h2>
      {connections.length === 0 ? (
        <p className="rft-note">
          Nothing here asks a model: the grader is no judge, and no deployment passes requests on.
        </p>
      ) : (
        <Scroll label="Asked by this dataset">
          <table className="rft-table rft-connections">
            <thead>
              <tr>
                <th scope="col">Used by</th>
                <th scope="col">Model</th>
                <th scope="col">Base URL</th>
                <th scope="col">Key</th>
                <th scope="col">Status</th>
              </tr>
            </thead>
            <tbody>
              {connections.map((one) => (
                <tr key={`${one.used_by} ${one.model}`}>
                  <th scope="row">{one.used_by}</th>
                  <td>{one.model}</td>
                  <td className="rft-mono">{one.base_url ?? "–"}</td>
                  <td>{keyWords(one)}</td>
                  <td>
                    {one.missing ? (
                      <span className="rft-tone-warn rft-dataset-line">{one.missing}</span>
                    ) : (
                      <Badge tone="ok">Configured</Badge>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function keyWords({ base_url, key_from }: ConnectionState): string {
  if (base_url === null) return "–";
  return key_from === null ? "None needed" : `From ${key_from}`;
}

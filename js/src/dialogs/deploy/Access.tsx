// How clients reach an endpoint. The token comes when somebody asks for it, and goes with this view.
import { Copy, Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import type { RevealedToken } from "../../contract.gen";
import { useAction } from "../../host/loaded";
import { Button, IconButton } from "../../ui/Button";
import { copy } from "../../ui/clipboard";
import { ProblemNote } from "../../ui/ProblemNote";
import { Scroll } from "../../ui/Scroll";

interface Props {
  readonly baseUrl: string;
  readonly model: string;
  /** Lines of Python, without the token. */
  readonly snippet: string;
  /** It keeps its address and its token. */
  readonly isKept: boolean;
  onReveal(): Promise<RevealedToken>;
}

export function Access({ baseUrl, model, snippet, isKept, onReveal }: Props) {
  const [shown, setShown] = useState<RevealedToken | null>(null);
  const [news, setNews] = useState("");
  const put = async (what: string, text: string): Promise<boolean> => {
    const isDone = await copy(text);
    setNews(isDone ? `${what} copied.` : "This page may not copy; select the text instead.");
    return isDone;
  };
  const reveal = useAction(async () => setShown(await onReveal()));
  const take = useAction(async (what: keyof RevealedToken) => {
    const found = await onReveal();
    const isDone = await put(what === "token" ? "Token" : "Snippet with the token", found[what]);
    if (!isDone) setShown(found);
  });
  const problem = reveal.problem ?? take.problem;
  return (
    <div className="rft-deploy-access">
      <dl>
        <dt>Base URL</dt>
        <dd>
          <code>{baseUrl}</code>
          <IconButton label="Copy the base URL" onClick={() => void put("Base URL", baseUrl)}>
            <Copy size={14} aria-hidden />
          </IconButton>
        </dd>
        <dt>Model</dt>
        <dd>
          <code>{model}</code>
          <IconButton label="Copy the model name" onClick={() => void put("Model name", model)}>
            <Copy size={14} aria-hidden />
          </IconButton>
        </dd>
        <dt>Token</dt>
        <dd>
          <code className="rft-deploy-token">{shown?.token ?? "••••••••••••"}</code>
          <Button
            icon={shown ? <EyeOff size={14} aria-hidden /> : <Eye size={14} aria-hidden />}
            isBusy={reveal.isBusy}
            onClick={() => (shown ? setShown(null) : void reveal.run())}
          >
            {shown ? "Hide Token" : "Show Token"}
          </Button>
          <Button
            icon={<Copy size={14} aria-hidden />}
            isBusy={take.isBusy}
            onClick={() => void take.run("token")}
          >
            Copy Token
          </Button>
        </dd>
      </dl>
      {problem && <ProblemNote problem={problem} />}
      <div className="rft-deploy-snippet">
        <Scroll label="Python lines that ask it">
          <pre>{shown?.snippet ?? snippet}</pre>
        </Scroll>
        <Button icon={<Copy size={14} aria-hidden />} onClick={() => void take.run("snippet")}>
          Copy Snippet
        </Button>
      </div>
      <p className="rft-note" role="status">
        {news ||
          `${isKept ? "Address and token stay the same when it is started again." : "The token is made anew each time the endpoint starts."} The token is stored nowhere: not in the notebook, not in the store.`}
      </p>
    </div>
  );
}

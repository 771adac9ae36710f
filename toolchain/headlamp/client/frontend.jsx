// Headlamp's own frontend around one of its pages, as its application has it.
import { Profiler } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'react-redux';
import { BrowserRouter } from 'react-router-dom';
import { QueryClientProvider } from '@tanstack/react-query';
import { ThemeProvider } from '@mui/material/styles';
import { SnackbarProvider } from 'notistack';
import '@kinvolk/headlamp-plugin/lib/i18n/config';
// Before anything that imports it too: the modules of the frontend import each other in circles.
import { setStore } from '@kinvolk/headlamp-plugin/lib/lib/router/createRouteURL';
import defaultAppThemes from '@kinvolk/headlamp-plugin/lib/components/App/defaultAppThemes';
import Overview from '@kinvolk/headlamp-plugin/lib/components/cluster/Overview';
import DeploymentsList from '@kinvolk/headlamp-plugin/lib/components/deployments/List';
import NodeList from '@kinvolk/headlamp-plugin/lib/components/node/List';
import PodList from '@kinvolk/headlamp-plugin/lib/components/pod/List';
import { KubeList } from '@kinvolk/headlamp-plugin/lib/lib/k8s/api/v2/KubeList';
import Deployment from '@kinvolk/headlamp-plugin/lib/lib/k8s/deployment';
import Event from '@kinvolk/headlamp-plugin/lib/lib/k8s/event';
import Node from '@kinvolk/headlamp-plugin/lib/lib/k8s/node';
import Pod from '@kinvolk/headlamp-plugin/lib/lib/k8s/pod';
import { queryClient } from '@kinvolk/headlamp-plugin/lib/lib/queryClient';
import { createMuiTheme } from '@kinvolk/headlamp-plugin/lib/lib/themes';
import { setConfig } from '@kinvolk/headlamp-plugin/lib/redux/configSlice';
import store from '@kinvolk/headlamp-plugin/lib/redux/stores/store';
import { committed, watched } from './probe';

export { queryClient };

// Of each page the kinds that it lists and watches, and its own component.
const PAGES = {
  overview: { kinds: [Pod, Node, Event], component: Overview },
  pods: { kinds: [Pod], component: PodList },
  nodes: { kinds: [Node], component: NodeList },
  deployments: { kinds: [Deployment], component: DeploymentsList },
};

function List({ kind, clusters }) {
  kind.useList({ clusters, ...(kind === Event ? { limit: Event.maxLimit } : {}) });
  return null;
}

// The hooks of a page without its tables: what is left of its cost where nothing is drawn.
function Hooks({ kinds, clusters }) {
  return kinds.map(kind => <List key={kind.apiName} kind={kind} clusters={clusters} />);
}

export function kinds(page) {
  return PAGES[page].kinds;
}

// Shows a page of these clusters; `tables`: with its component, else its hooks alone.
export function open(page, clusters, tables) {
  watched(KubeList);
  setStore(store);
  store.dispatch(setConfig({ clusters: Object.fromEntries(clusters.map(name => [name, { name, auth_type: '' }])) }));
  const { kinds, component: Page } = PAGES[page];
  createRoot(document.getElementById('root')).render(
    <Profiler id="page" onRender={committed}>
      <Provider store={store}>
        <QueryClientProvider client={queryClient}>
          <ThemeProvider theme={createMuiTheme(defaultAppThemes[0])}>
            <SnackbarProvider>
              <BrowserRouter basename={window.headlampBaseUrl}>
                {tables ? <Page /> : <Hooks kinds={kinds} clusters={clusters} />}
              </BrowserRouter>
            </SnackbarProvider>
          </ThemeProvider>
        </QueryClientProvider>
      </Provider>
    </Profiler>
  );
}
